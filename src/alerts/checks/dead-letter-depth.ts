import { countParked } from '../../messaging/dead-letters/dead-letters.ts';
import type { Check } from '../check.ts';

/** ALERT_DEAD_LETTER_DEPTH or more dead letters are parked, by tenant and source. */
export const deadLetterDepth: Check = {
  kind: 'dead_letter_depth',
  run: async ({ system, config }) => {
    const threshold = config.ALERT_DEAD_LETTER_DEPTH;
    const rows = await countParked(system, threshold);
    return rows.map(({ tenantId, source, parked, oldest }) => ({
      tenantId,
      key: source,
      severity: 'warning',
      summary: `${parked} dead letter(s) of ${source} wait to be replayed or discarded.`,
      details: { source, parked, threshold, oldest: oldest?.toISOString() ?? null },
    }));
  },
};
