import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SETTINGS, temporalEnvironment } from '../../src/config/config.ts';
import { connectConfig } from '../../src/temporal/connection.ts';
import { LOOPBACK } from './addresses.ts';

/** Which Temporal Service the product uses. */
export interface TemporalChoice {
  /** Whether it is the dev server that the launcher starts. */
  readonly isOurs: boolean;
  readonly address: string;
  readonly namespace: string;
  /** What a child must have in its environment to reach it. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Chooses as the SDK's settings say, environment and configuration file alike; without an address there it is our dev
 * server.
 */
export function chooseTemporal({ dataDir, port }: { dataDir: string; port: number }): TemporalChoice {
  const {
    connectionOptions: { address },
    namespace,
  } = connectConfig();
  if (address !== undefined) return { isOurs: false, address, namespace: namespace ?? 'default', env: {} };
  const ours = { address: `${LOOPBACK}:${port}`, namespace: process.env['TEMPORAL_NAMESPACE'] || 'default' };
  // Credentials, TLS and profiles are another server's: nothing of them may reach ours.
  const others = Object.fromEntries(
    Object.keys(temporalEnvironment())
      .filter((name) => !(name in SETTINGS))
      .map((name) => [name, '']),
  );
  const noProfile = join(dataDir, 'temporal.toml');
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(noProfile, '[profile.default]\n'); // the SDK trips over an empty file
  return {
    ...ours,
    isOurs: true,
    env: {
      ...others,
      TEMPORAL_ADDRESS: ours.address,
      TEMPORAL_NAMESPACE: ours.namespace,
      TEMPORAL_CONFIG_FILE: noProfile,
    },
  };
}
