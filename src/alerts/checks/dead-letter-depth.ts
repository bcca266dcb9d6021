import { ALL_TENANTS } from '../../postgres/client.ts';
import type { Check } from '../check.ts';

/** ALERT_DEAD_LETTER_DEPTH or more dead letters are parked, by tenant and source. */
export const deadLetterDepth: Check = {
  kind: 'dead_letter_depth',
  run: async ({ db, config }) => {
    const threshold = config.ALERT_DEAD_LETTER_DEPTH;
    const rows = await db.inTenant(ALL_TENANTS, (tx) =>
      tx.deadLetter.groupBy({
        by: ['tenantId', 'source'],
        where: { status: 'parked' },
        _count: { _all: true },
        _min: { parkedAt: true },
      }),
    );
    return rows
      .filter(({ _count }) => _count._all >= threshold)
      .map(({ tenantId, source, _count, _min }) => ({
        tenantId,
        key: source,
        severity: 'warning',
        summary: `${_count._all} dead letter(s) of ${source} wait to be replayed or discarded.`,
        details: { source, parked: _count._all, threshold, oldest: _min.parkedAt?.toISOString() ?? null },
      }));
  },
};
