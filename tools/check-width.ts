import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

// The formatter breaks code, but neither strings nor SQL nor comments.
const WIDEST = 120;

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.ts', '*.mjs'], { encoding: 'utf8' });
const wide = files
  .split('\n')
  .filter((file) => existsSync(file))
  .flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, index) =>
        line.length > WIDEST ? [`${file}:${index + 1} has ${line.length} columns, ${WIDEST} at most`] : [],
      ),
  );
for (const line of wide) console.error(line);
process.exit(wide.length === 0 ? 0 : 1);
