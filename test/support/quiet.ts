import { DefaultLogger, Runtime } from '@temporalio/worker';

/** Keeps the SDK's log out of the tests' output; to be imported before a worker is made. */
Runtime.install({ logger: new DefaultLogger('ERROR') });
