import { styleText } from 'node:util';

/** What the demo prints: the story, the commands one would type, and what changes meanwhile. */
export interface View {
  /** A new scene. */
  scene(title: string): void;
  /** What happens and why. */
  tell(text: string): void;
  /** The command that does or shows it. */
  type(command: string): void;
  /** A line that is printed when it differs from the last one of its subject. */
  show(subject: string, state: string): void;
}

/** Prints to the terminal, each line with the seconds since the demo began. */
export function openView(): View {
  const startedAt = performance.now();
  const shown = new Map<string, string>();
  const print = (text: string): void => {
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1).padStart(5);
    console.log(`${styleText('dim', `${seconds}s`)}  ${text}`);
  };
  return {
    scene: (title) => {
      console.log();
      print(styleText('bold', title));
    },
    tell: (text) => print(text),
    type: (command) => print(styleText('cyan', `$ ${command}`)),
    show: (subject, state) => {
      if (shown.get(subject) === state) return;
      shown.set(subject, state);
      print(`${styleText('yellow', subject.padEnd(6))} ${state}`);
    },
  };
}
