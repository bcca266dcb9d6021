import { localKeys } from '../src/auth/local-keys.ts';
import { mintToken } from '../src/auth/tokens.ts';
import { loadConfig } from '../src/config/config.ts';
import { installDemo } from './demo/installation.ts';
import { tellOfOnboarding } from './demo/onboarding-story.ts';
import { tellOfOrders } from './demo/order-story.ts';
import { tellOfUsers } from './demo/story.ts';
import { openNarrator } from './demo/narrator.ts';
import { openView } from './demo/view.ts';

const installation = await installDemo();
let isStopping = false;
const stop = async (code: number): Promise<void> => {
  if (isStopping) return;
  isStopping = true;
  console.log('\nStopping everything; its data stays in the demo folder of DATA_DIR.');
  await installation.close();
  process.exit(code);
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(130));

try {
  const config = loadConfig(installation.env);
  const keys = await localKeys(config.DATA_DIR);
  const narrator = openNarrator(installation, {
    view: openView(),
    mint: ({ role, subject }) =>
      mintToken({ role, subject, tenantId: config.DEFAULT_TENANT, ttl: '1h' }, { config, keys }),
  });
  await tellOfOrders(narrator, await tellOfUsers(narrator));
  await tellOfOnboarding(narrator);
  await stop(0);
} catch (error) {
  if (!isStopping) console.error(error);
  await stop(1);
}
