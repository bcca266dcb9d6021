import test from 'ava';
import { testBusContract } from './contract.ts';
import { createPostgresHarness } from './postgres-harness.ts';

testBusContract(test, createPostgresHarness);
