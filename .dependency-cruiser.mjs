// The house's arrows; docs/architecture.md draws them. `npm run check` fails on each that is not allowed.
const TESTS = '\\.test\\.ts$';

// From the ground up: a room knows those below it. What a workflow is called, and what is said to it, everybody knows.
const FLOORS = [
  ['domain'],
  ['config', 'telemetry'],
  ['postgres', 'auth', 'temporal'],
  ['messaging'],
  ['events'],
  ['db'],
  ['gateways'],
  ['notifications'],
  ['alerts', 'realtime'],
  ['maintenance'],
  ['activities'],
  ['consumers'],
  ['api'],
];

const floorRules = FLOORS.slice(0, -1).map((rooms, index) => ({
  name: `${rooms.join('-')}-know-nobody-above`,
  comment: 'Whoever is below knows nobody above.',
  severity: 'error',
  from: { path: `^src/(${rooms.join('|')})/`, pathNot: TESTS },
  to: {
    path: `^src/(${[...FLOORS.slice(index + 1).flat(), 'workflows'].join('|')})/`,
    pathNot: ['\\.messages\\.ts$', ...(rooms.includes('activities') ? ['\\.activities\\.ts$'] : [])],
  },
}));

// A file of <layer>/<domain>/ imports its own domain in lower layers, and these, which every domain stands on.
const DOMAIN_LAYERS = 'domain|workflows|db|activities|api|consumers';
const COMMON = [
  '^src/domain/(shared|process|notifications|alerts)/',
  '^src/workflows/(runtime|process)/',
  '^src/db/(processes|notifications|alerts|http)/',
  '^src/activities/process/',
  '^src/api/(http|processes)/',
];

// The crossings: which domain knows which others besides.
const EVERY = ['[^/]+'];
const CROSSINGS = {
  users: ['profile', 'user-sync', 'orders', 'bulk'], // an account begins its promises, and ends what it left in orders
  profile: ['users'],
  'user-sync': ['users', 'profile'],
  'routing-slips': ['users'], // a leg invites users
  process: ['orders', 'routing-slips'], // the registry of process types
  processes: ['bulk', 'operations'], // commands to many processes
  // One catalogue of errors; a caller is one of our users.
  http: ['users', 'profile', 'user-sync', 'orders', 'routing-slips'],
  audits: EVERY,
  bulk: EVERY,
  operations: EVERY,
};

const crossingDomains = Object.keys(CROSSINGS);
const domainRule = (name, domain, to) => ({
  name,
  comment: 'A domain imports itself and what every domain stands on; crossings are listed in .dependency-cruiser.mjs.',
  severity: 'error',
  from: { path: `^src/(?:${DOMAIN_LAYERS})/(${domain})/`, pathNot: TESTS },
  to: {
    path: `^src/(${DOMAIN_LAYERS})/[^/]+/`,
    pathNot: ['^src/[^/]+/$1/', ...COMMON, ...to.map((other) => `^src/[^/]+/${other}/`)],
  },
});
const domainRules = [
  domainRule('domains-keep-to-themselves', `(?!(?:${crossingDomains.join('|')})/)[^/]+`, []),
  ...Object.entries(CROSSINGS).map(([domain, to]) => domainRule(`${domain}-crosses-where-listed`, domain, to)),
];

export default {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'A cycle hides which of two modules the other can be understood without.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'domain-imports-nothing',
      comment: 'src/domain is pure: it knows the calendar (luxon) and nothing else.',
      severity: 'error',
      from: { path: '^src/domain/', pathNot: TESTS },
      to: { pathNot: ['^src/domain/', '^node_modules/(luxon|@types/luxon)/'] },
    },
    {
      name: 'workflows-import-the-domain',
      comment:
        'Workflow code is replayed: it calls no side effect, and owns the interface of those it asks for ' +
        '(*.activities.ts).',
      severity: 'error',
      from: { path: '^src/workflows/', pathNot: TESTS },
      to: {
        pathNot: ['^src/(workflows|domain)/', '^node_modules/(@temporalio/(workflow|common)|luxon|@types/luxon)/'],
      },
    },
    {
      name: 'interfaces-of-activities-are-types-alone',
      comment: 'X.activities.ts leads to the domain and to messages alone.',
      severity: 'error',
      from: { path: '^src/workflows/.*\\.activities\\.ts$' },
      to: { pathNot: ['^src/domain/', '^src/workflows/.*\\.(messages|activities)\\.ts$'] },
    },
    {
      name: 'api-runs-no-workflow-and-no-activity',
      comment: 'The API parses, calls one thing and maps the answer; it knows workflows by their messages.',
      severity: 'error',
      from: { path: '^src/api/', pathNot: TESTS },
      to: { path: '^src/(workflows|activities)/', pathNot: '\\.messages\\.ts$' },
    },
    ...floorRules,
    ...domainRules,
    {
      name: 'statements-have-their-rooms',
      comment: 'Who neither reads nor writes rows calls those who do (tools/where-sql-stands.test.ts looks closer).',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: [
          TESTS,
          '^src/(postgres|messaging|db|maintenance|activities)/',
          '^src/gateways/(payment/ledger/|shipping/warehouse)',
        ],
      },
      to: { path: '^src/postgres/(statement|sql)' },
    },
    {
      name: 'products-do-not-need-tools-or-tests',
      comment: 'What runs in production does not import what provisions or tests it.',
      severity: 'error',
      from: { path: ['^src/', '^(worker|server)\\.ts$'], pathNot: TESTS },
      to: { path: '^(tools|test|bench)/' },
    },
    {
      name: 'products-need-no-development-dependency',
      comment: 'What is no test runs on what `npm ci --omit=dev` installs.',
      severity: 'error',
      from: { path: ['^(src|tools|deploy|packages)/', '^(worker|server)\\.ts$'], pathNot: TESTS },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'only-entry-points-construct',
      comment: 'Nothing else in src imports what builds all dependencies.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/composition/' },
      to: { path: '^((worker|server)\\.ts$|src/composition/)' },
    },
    {
      name: 'no-unresolvable',
      comment: 'An import that leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', 'src/postgres/generated'] },
    parser: 'swc',
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
