import test from 'ava';
import { fileScope } from '../support/file-scope.ts';
import { orderSuite } from './order-suite.ts';

orderSuite({ test, scope: fileScope(), mode: 'orchestration' });
