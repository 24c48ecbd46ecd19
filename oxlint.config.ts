import {defineConfig} from 'oxlint'

/** The modules of `src`, lowest first: a module imports from lower layers only (`src/README.md`). */
const LAYERS: readonly (readonly string[])[] = [
  ['model'],
  ['net', 'config', 'resources', 'platform', 'faults'],
  ['control', 'logging', 'watcher', 'ports', 'telemetry', 'redis', 'import'],
  ['gateway'],
  ['supervisor', 'components', 'replay'],
  ['sidecar', 'daeploy', 'doctor', 'api', 'dashboard', 'kubernetes'],
  ['run', 'mcp'],
  ['cli']
]

/** What a module that could stand alone takes from the others. */
const TAKES: Readonly<Record<string, readonly string[]>> = {
  redis: ['model', 'net', 'platform'],
  import: ['model', 'config'],
  kubernetes: ['model', 'net', 'config', 'resources', 'logging', 'supervisor', 'import'],
  mcp: ['model', 'net', 'control', 'api']
}

/** Who may use what stands for a whole concern. */
const USERS: Readonly<Record<string, readonly string[]>> = {
  commander: ['cli'],
  chalk: ['cli'],
  'get-port': ['ports'],
  chokidar: ['watcher'],
  execa: ['platform', 'supervisor', 'kubernetes'],
  'node:child_process': ['platform', 'supervisor', 'kubernetes']
}

const ALL = LAYERS.flat()

/** What nobody below `cli` takes. */
const GUESTS = ['import']

function allowed(name: string, layer: number): readonly string[] {
  const lower = LAYERS.slice(0, layer).flat()
  return TAKES[name] ?? lower.filter(other => name === 'cli' || !GUESTS.includes(other))
}

const bounds = LAYERS.flatMap((names, layer) =>
  names.map(name => {
    const may = allowed(name, layer)
    const forbidden = ALL.filter(other => other !== name && !may.includes(other)).join('|')
    const paths = Object.keys(USERS).filter(library => USERS[library]?.includes(name) !== true)
    const message = `${name}/ is in layer ${layer.toString()}, and imports lower ones only (src/README.md)`
    const patterns = forbidden === '' ? [] : [{regex: `^(\\.\\./)+(${forbidden})/`, message}]
    return {files: [`src/${name}/**`], rules: {'no-restricted-imports': ['error', {paths, patterns}] as const}}
  })
)

export default defineConfig({
  plugins: ['typescript', 'unicorn', 'oxc', 'import', 'promise', 'node'],
  options: {typeAware: true},
  ignorePatterns: ['dist', 'test/fixtures', '**/*.generated.js'],
  categories: {correctness: 'error', suspicious: 'error'},
  rules: {
    'max-lines': ['error', {max: 400}],
    'import/no-cycle': 'error',
    'typescript/consistent-return': 'off',
    'typescript/no-unsafe-type-assertion': 'off',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-unsafe-argument': 'error',
    'typescript/no-unsafe-assignment': 'error',
    'typescript/no-unsafe-call': 'error',
    'typescript/no-unsafe-member-access': 'error',
    'typescript/no-unsafe-return': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/switch-exhaustiveness-check': 'error',
    'typescript/return-await': 'error',
    'typescript/only-throw-error': 'error',
    'typescript/prefer-promise-reject-errors': 'error',
    'typescript/no-deprecated': 'error'
  },
  overrides: [
    {
      files: ['src/**'],
      excludeFiles: ['src/cli/**'],
      rules: {'no-console': 'error', 'unicorn/no-process-exit': 'error'}
    },
    ...bounds,
    {files: ['test/**'], rules: {'typescript/no-floating-promises': 'off', 'no-shadow': 'off'}}
  ]
})
