import { allChecks, holds } from './checks.ts';

let failed = 0;
for (const check of allChecks()) if (!(await holds(check))) failed += 1;
process.exit(failed === 0 ? 0 : 1);
