// A worker for orders and refunds whose bank and carrier are elsewhere, to be started and killed as `worker.ts` is.
import { createActivities } from '../../src/activities/create-activities.ts';
import { remotePorts } from '../support/remote-ports.ts';
import { serveWorker } from './serve-worker.ts';

const { bank, carrier } = remotePorts(process.env['PROVIDERS_URL'] ?? '');
const gateways = {
  mail: undefined,
  payments: { byName: { bank: { remote: bank } }, current: 'bank' },
  shipping: { byName: { carrier: { remote: carrier } }, current: 'carrier' },
};

await serveWorker((deps) => createActivities({ ...deps, gateways }));
