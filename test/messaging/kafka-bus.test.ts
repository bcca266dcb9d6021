import test from 'ava';
import { testBusContract } from './contract.ts';
import { createKafkaHarness } from './kafka-harness.ts';

testBusContract(test, createKafkaHarness);
