import { assertNever } from '../shared/assert-never.ts';
import { accept, refuse, type Decision } from '../shared/decision.ts';
import type { UserSyncRefusal } from './codes.ts';

/** What one service holds of the user. Versions are those of the user's row; 0: none. */
export interface ServiceCopy {
  readonly confirmedVersion: number;
  /** Latest version that the service reported a failure of, or did not answer in time. */
  readonly failedVersion: number;
  readonly lastError: string | null;
  /** Milliseconds since the epoch. */
  readonly lastSuccessAt: number | null;
}

/** The phase of the synchronisation. Times are milliseconds since the epoch. */
export type SyncPhase =
  /** An emission is due now. */
  | { readonly kind: 'unsent' }
  /** Emitted; an attempt ends when every target has answered, or at `until`. */
  | { readonly kind: 'awaiting'; readonly until: number; readonly targets: readonly string[] }
  | { readonly kind: 'backoff'; readonly retryAt: number }
  /** No retry left until the counter restarts at `resetAt`. */
  | { readonly kind: 'exhausted'; readonly resetAt: number }
  | { readonly kind: 'synced' };

/** State of the copies of one user. */
export interface UserSync {
  /** Version of the user that the services must confirm. */
  readonly version: number;
  readonly services: Readonly<Record<string, ServiceCopy>>;
  readonly phase: SyncPhase;
  readonly retryCount: number;
  readonly lastAttemptAt: number | null;
  readonly lastError: string | null;
  /** The user is deleted: `version` is that of the deletion, and all is over once every service has confirmed it. */
  readonly isDeleted?: boolean;
}

export interface UserSyncSettings {
  /** Delay before each retry; the last one repeats when there are more retries than delays. */
  readonly retryDelaysMs: readonly number[];
  readonly maxRetries: number;
  readonly confirmationTimeoutMs: number;
  /** From the last attempt until the retry counter restarts. */
  readonly retryResetMs: number;
}

export type UserSyncCommand =
  | { readonly type: 'changeUser'; readonly version: number }
  | { readonly type: 'changeServices'; readonly services: readonly string[] }
  /** With `publishedAt` the services were told of the deletion then, in milliseconds since the epoch. */
  | { readonly type: 'deleteUser'; readonly version: number; readonly publishedAt?: number }
  /** Without `userVersion`: the current one. */
  | { readonly type: 'confirm'; readonly service: string; readonly userVersion?: number }
  | { readonly type: 'fail'; readonly service: string; readonly userVersion?: number; readonly error?: string }
  | { readonly type: 'forceResync' }
  /** With `service`: that service doubts its copy, and holds `heldVersion` if it knows. */
  | { readonly type: 'reconcile'; readonly service?: string; readonly heldVersion?: number }
  /** Time has passed: decides what is due by now. */
  | { readonly type: 'passTime' };

export type UserSyncEvent =
  | { readonly type: 'UserChanged'; readonly version: number }
  | { readonly type: 'ServicesChanged'; readonly services: readonly string[] }
  | {
      readonly type: 'UserDeleted';
      readonly version: number;
      /** What was said already; absent: an emission is due. */
      readonly published?: { readonly at: number; readonly until: number };
    }
  | { readonly type: 'CopyDoubted'; readonly service: string; readonly heldVersion: number }
  | { readonly type: 'EmissionRequested' }
  | {
      readonly type: 'Emitted';
      readonly at: number;
      readonly targets: readonly string[];
      readonly isRetry: boolean;
      readonly until: number;
    }
  | { readonly type: 'ServiceConfirmed'; readonly service: string; readonly at: number }
  | { readonly type: 'ServiceFailed'; readonly service: string; readonly error: string }
  | { readonly type: 'AttemptFailed'; readonly error: string; readonly next: SyncPhase }
  | { readonly type: 'Synced' };

const NO_COPY: ServiceCopy = { confirmedVersion: 0, failedVersion: 0, lastError: null, lastSuccessAt: null };

/** The state before the first emission of `version` to `services`. */
export function startUserSync({ version, services }: { version: number; services: readonly string[] }): UserSync {
  return {
    version,
    services: Object.fromEntries(services.map((service) => [service, NO_COPY])),
    phase: { kind: 'unsent' },
    retryCount: 0,
    lastAttemptAt: null,
    lastError: null,
  };
}

/** Services that did not confirm the current version. */
export function missingServices({ services, version }: Pick<UserSync, 'services' | 'version'>): string[] {
  return Object.keys(services).filter((service) => services[service]!.confirmedVersion !== version);
}

/** Decides `command` at `now` (milliseconds since the epoch): the events, or a refusal that changes nothing. */
export function decideUserSync(
  sync: UserSync,
  command: UserSyncCommand,
  { now, settings }: { now: number; settings: UserSyncSettings },
): Decision<UserSyncEvent, UserSyncRefusal> {
  switch (command.type) {
    case 'changeUser':
      return command.version > sync.version ? accept({ type: 'UserChanged', version: command.version }) : accept();
    case 'deleteUser':
      return decideDeletion(sync, command, settings);
    case 'changeServices':
      return decideServices(sync, command.services);
    case 'confirm':
    case 'fail':
      return decideAnswer(sync, command, now, settings);
    case 'forceResync':
      return accept(
        ...Object.keys(sync.services).map((service): UserSyncEvent => ({
          type: 'CopyDoubted',
          service,
          heldVersion: 0,
        })),
        { type: 'EmissionRequested' },
      );
    case 'reconcile':
      return decideReconcile(sync, command);
    case 'passTime':
      return accept(...fallenDue(sync, now, settings));
    default:
      return assertNever(command);
  }
}

function decideDeletion(
  sync: UserSync,
  { version, publishedAt: at }: Extract<UserSyncCommand, { type: 'deleteUser' }>,
  { confirmationTimeoutMs }: UserSyncSettings,
): Decision<UserSyncEvent, UserSyncRefusal> {
  if (sync.isDeleted === true && version <= sync.version) return accept();
  // A row that was restored is behind; what was published of it is no version that a service takes over.
  const isPublished = at !== undefined && version >= sync.version;
  const deleted: UserSyncEvent = {
    type: 'UserDeleted',
    version: Math.max(version, sync.version),
    ...(isPublished ? { published: { at, until: at + confirmationTimeoutMs } } : {}),
  };
  return accept(deleted, ...settled(evolveUserSync(sync, deleted)));
}

function decideServices(sync: UserSync, services: readonly string[]): Decision<UserSyncEvent, UserSyncRefusal> {
  const known = new Set(Object.keys(sync.services));
  if (services.length === known.size && services.every((service) => known.has(service))) return accept();
  const changed: UserSyncEvent = { type: 'ServicesChanged', services };
  const after = evolveUserSync(sync, changed);
  // An attempt or retry under way includes a new service in its next emission; with none under way the user is emitted
  // at once.
  const isIdle = sync.phase.kind === 'synced' || sync.phase.kind === 'exhausted';
  const isGained = services.some((service) => !known.has(service));
  return missingServices(after).length > 0 && isIdle && isGained
    ? accept<UserSyncEvent>(changed, { type: 'EmissionRequested' })
    : accept(changed, ...settled(after));
}

/** An answer counts for the current version only; one about an older version changes nothing. */
function decideAnswer(
  sync: UserSync,
  command: Extract<UserSyncCommand, { type: 'confirm' | 'fail' }>,
  now: number,
  settings: UserSyncSettings,
): Decision<UserSyncEvent, UserSyncRefusal> {
  const { service, userVersion = sync.version } = command;
  if (!Object.hasOwn(sync.services, service))
    return refuse('unknown_service', `The user is not synchronised to "${service}".`);
  if (userVersion > sync.version) {
    return refuse('unknown_version', `Version ${userVersion} was never published; the current one is ${sync.version}.`);
  }
  if (userVersion < sync.version) return accept();
  if (command.type === 'confirm') {
    if (sync.services[service]?.confirmedVersion === sync.version) return accept();
    const confirmed: UserSyncEvent = { type: 'ServiceConfirmed', service, at: now };
    const after = evolveUserSync(sync, confirmed);
    return accept(confirmed, ...settled(after), ...ended(after, now, settings));
  }
  const failed: UserSyncEvent = { type: 'ServiceFailed', service, error: command.error ?? 'no reason given' };
  const after = evolveUserSync(sync, failed);
  return sync.phase.kind === 'synced'
    ? accept(failed, failAttempt(after, now, settings))
    : accept(failed, ...ended(after, now, settings));
}

function decideReconcile(
  sync: UserSync,
  command: Extract<UserSyncCommand, { type: 'reconcile' }>,
): Decision<UserSyncEvent, UserSyncRefusal> {
  const { service, heldVersion = 0 } = command;
  if (service !== undefined && !Object.hasOwn(sync.services, service)) {
    return refuse('unknown_service', `The user is not synchronised to "${service}".`);
  }
  const doubts: UserSyncEvent[] =
    service !== undefined && heldVersion !== sync.version
      ? [{ type: 'CopyDoubted', service, heldVersion: Math.min(heldVersion, sync.version) }]
      : [];
  const after = doubts.reduce(evolveUserSync, sync);
  return missingServices(after).length === 0
    ? accept()
    : accept<UserSyncEvent>(...doubts, { type: 'EmissionRequested' });
}

function fallenDue(sync: UserSync, now: number, settings: UserSyncSettings): UserSyncEvent[] {
  const { phase } = sync;
  switch (phase.kind) {
    case 'unsent':
      return missingServices(sync).length === 0 ? [{ type: 'Synced' }] : [emit(sync, now, settings, false)];
    case 'awaiting':
      return now >= phase.until ? [failAttempt(sync, now, settings)] : [];
    case 'backoff':
      return now >= phase.retryAt ? [emit(sync, now, settings, true)] : [];
    case 'exhausted':
      return now >= phase.resetAt ? [{ type: 'EmissionRequested' }, emit(sync, now, settings, false)] : [];
    case 'synced':
      return [];
    default:
      return assertNever(phase);
  }
}

function emit(sync: UserSync, now: number, settings: UserSyncSettings, isRetry: boolean): UserSyncEvent {
  return {
    type: 'Emitted',
    at: now,
    targets: missingServices(sync),
    isRetry,
    until: now + settings.confirmationTimeoutMs,
  };
}

function settled(sync: UserSync): UserSyncEvent[] {
  return missingServices(sync).length === 0 && sync.phase.kind !== 'synced' ? [{ type: 'Synced' }] : [];
}

/** An attempt ends before its time when every target has answered. */
function ended(sync: UserSync, now: number, settings: UserSyncSettings): UserSyncEvent[] {
  if (sync.phase.kind !== 'awaiting' || missingServices(sync).length === 0) return [];
  return silentServices(sync, sync.phase.targets).length === 0 ? [failAttempt(sync, now, settings)] : [];
}

function failAttempt(sync: UserSync, now: number, settings: UserSyncSettings): UserSyncEvent {
  const silent = sync.phase.kind === 'awaiting' ? silentServices(sync, sync.phase.targets) : [];
  const failures = missingServices(sync)
    .filter((service) => !silent.includes(service))
    .map((service) => `${service}: ${sync.services[service]!.lastError ?? 'not confirmed'}`);
  const error = [...failures, ...silent.map((service) => `${service}: no answer in time`)].join('; ');
  const delayMs = settings.retryDelaysMs[Math.min(sync.retryCount, settings.retryDelaysMs.length - 1)] ?? 0;
  const next: SyncPhase =
    sync.retryCount < settings.maxRetries
      ? { kind: 'backoff', retryAt: now + delayMs }
      : { kind: 'exhausted', resetAt: (sync.lastAttemptAt ?? now) + settings.retryResetMs };
  return { type: 'AttemptFailed', error, next };
}

function silentServices(sync: UserSync, targets: readonly string[]): string[] {
  return missingServices(sync).filter(
    (service) => targets.includes(service) && sync.services[service]!.failedVersion !== sync.version,
  );
}

/** The state after `event`. */
export function evolveUserSync(sync: UserSync, event: UserSyncEvent): UserSync {
  switch (event.type) {
    case 'UserChanged':
      return { ...sync, version: event.version, retryCount: 0, phase: { kind: 'unsent' } };
    case 'UserDeleted':
      return userDeleted(sync, event);
    case 'ServicesChanged':
      return {
        ...sync,
        services: Object.fromEntries(event.services.map((service) => [service, sync.services[service] ?? NO_COPY])),
      };
    case 'CopyDoubted':
      return withCopy(sync, event.service, { confirmedVersion: event.heldVersion, failedVersion: 0, lastError: null });
    case 'EmissionRequested':
      return { ...sync, retryCount: 0, phase: { kind: 'unsent' } };
    case 'Emitted':
      return emitted(sync, event);
    case 'ServiceConfirmed':
      return withCopy(sync, event.service, {
        confirmedVersion: sync.version,
        failedVersion: 0,
        lastError: null,
        lastSuccessAt: event.at,
      });
    case 'ServiceFailed':
      return withCopy(sync, event.service, {
        confirmedVersion: 0,
        failedVersion: sync.version,
        lastError: event.error,
      });
    case 'AttemptFailed':
      return attemptFailed(sync, event);
    case 'Synced':
      return { ...sync, phase: { kind: 'synced' }, retryCount: 0, lastError: null };
    default:
      return assertNever(event);
  }
}

function userDeleted(
  sync: UserSync,
  { version, published }: Extract<UserSyncEvent, { type: 'UserDeleted' }>,
): UserSync {
  const deleted = { ...sync, version, isDeleted: true, retryCount: 0, lastError: null };
  if (published === undefined) return { ...deleted, phase: { kind: 'unsent' } };
  const { at, until } = published;
  return { ...deleted, lastAttemptAt: at, phase: { kind: 'awaiting', until, targets: missingServices(deleted) } };
}

/** A new attempt clears the failures of the one before, so that they are not taken for failures of this one. */
function emitted(
  sync: UserSync,
  { at, targets, isRetry, until }: Extract<UserSyncEvent, { type: 'Emitted' }>,
): UserSync {
  const asked = targets.reduce((state, service) => withCopy(state, service, { failedVersion: 0 }), sync);
  return {
    ...asked,
    lastAttemptAt: at,
    retryCount: isRetry ? sync.retryCount + 1 : sync.retryCount,
    phase: { kind: 'awaiting', until, targets },
  };
}

function attemptFailed(sync: UserSync, { error, next }: Extract<UserSyncEvent, { type: 'AttemptFailed' }>): UserSync {
  const silent = sync.phase.kind === 'awaiting' ? silentServices(sync, sync.phase.targets) : [];
  const marked = silent.reduce(
    (state, service) => withCopy(state, service, { failedVersion: sync.version, lastError: 'no answer in time' }),
    sync,
  );
  return { ...marked, phase: next, lastError: error };
}

function withCopy(sync: UserSync, service: string, change: Partial<ServiceCopy>): UserSync {
  return { ...sync, services: { ...sync.services, [service]: { ...(sync.services[service] ?? NO_COPY), ...change } } };
}

/** Whether nothing is left to do: the user is deleted, and every service has confirmed it. */
export function isOver({ isDeleted = false, phase }: Pick<UserSync, 'isDeleted' | 'phase'>): boolean {
  return isDeleted && phase.kind === 'synced';
}

/** When time alone changes something next (milliseconds since the epoch); null: never. */
export function nextSyncDueAt({ phase }: UserSync, now: number): number | null {
  switch (phase.kind) {
    case 'unsent':
      return now;
    case 'awaiting':
      return phase.until;
    case 'backoff':
      return phase.retryAt;
    case 'exhausted':
      return phase.resetAt;
    case 'synced':
      return null;
    default:
      return assertNever(phase);
  }
}
