/** Commands that operators and customers give by signal or Update, under these names. */
export const PROCESS_COMMANDS = [
  'cancel',
  'retryCompensation',
  'skipCompensation',
  'retryStep',
  'skipStep',
  'abandon',
] as const;
export type ProcessCommandName = (typeof PROCESS_COMMANDS)[number];

/** Signal that a process which was over was reopened, as its row says. */
export const REOPENED = 'reopened';
