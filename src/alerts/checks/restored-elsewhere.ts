import { isRestoredElsewhere } from '../../db/log-restart.ts';
import type { Check } from '../check.ts';

/** The database was restored into another cluster and its readers were not restarted: messages would wait unseen. */
export const restoredElsewhere: Check = {
  kind: 'restored_elsewhere',
  run: async ({ db, config }) => await isRestoredElsewhere(db)
    ? [{
      tenantId: config.DEFAULT_TENANT, key: 'cluster', severity: 'critical', details: {},
      summary: 'The logs come from another cluster, so their readers skip new messages: stop workers and API, run `npm run restart-readers`, start them again.',
    }]
    : [],
};
