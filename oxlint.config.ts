import {defineConfig, type OxlintConfig} from 'oxlint'

type Override = NonNullable<OxlintConfig['overrides']>[number]

/**
 * The modules of `src`, lowest first, and in each line its parts, lowest first: a module imports from lower layers only, and so
 * does a part inside of its module (`src/README.md`).
 */
const LAYERS: readonly (readonly string[])[] = [
  ['model'],
  ['platform'],
  ['files/yaml'],
  ['files/config', 'files/resources', 'files/watcher'],
  ['proxy/net', 'proxy/faults'],
  ['proxy/ports', 'proxy/gateway'],
  ['proxy/published'],
  ['control', 'work'],
  ['observe/logging', 'observe/telemetry'],
  ['observe/replay'],
  ['observe/api', 'observe/dashboard'],
  ['supervisor'],
  ['dapr/components'],
  ['dapr/sidecar'],
  ['run'],
  ['clients/mcp', 'clients/doctor'],
  ['clients/cli']
]

/** What each of `src/packages` takes from the modules; these import it by its name, from its `index.ts`. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  trust: ['model', 'platform'],
  'h2-frames': ['model'],
  redis: ['model', 'platform'],
  import: ['model', 'files/yaml', 'files/config', 'files/resources'],
  daeploy: ['model', 'proxy/net', 'files/config', 'platform', 'proxy/ports', 'proxy/gateway'],
  kubernetes: ['model', 'proxy/net', 'platform', 'files/yaml', 'files/config', 'files/resources']
}

/** What a module that could stand alone takes from the others. */
const TAKES: Readonly<Record<string, readonly string[]>> = {
  'clients/mcp': ['model', 'proxy/net', 'control', 'observe/api']
}

/** Who may use what stands for a whole concern. */
const USERS: Readonly<Record<string, readonly string[]>> = {
  commander: ['clients/cli'],
  chalk: ['clients/cli'],
  '#daeploy': ['run'],
  '#import': ['clients/cli'],
  '#kubernetes': ['clients/cli'],
  '#trust': ['run', 'clients/cli'],
  'get-port': ['proxy/ports'],
  chokidar: ['files/watcher'],
  execa: ['platform', 'supervisor', 'kubernetes'],
  'node:child_process': ['platform', 'supervisor', 'kubernetes']
}

/** Modules that read files of projects, which may be strangers': only by `model/read-file.ts`, which refuses pipes, devices and what is too large. */
const READ_PROJECTS: readonly string[] = ['files/config', 'files/resources', 'import', 'clients/doctor']

const READS = ['node:fs', 'node:fs/promises'].map(name => ({
  name,
  importNames: ['readFileSync', 'readFile', 'openSync', 'open', 'createReadStream'],
  message: 'read files of a project by model/read-file.ts: a pipe or a device never ends'
}))

const ALL = LAYERS.flat()

const allowed = (name: string, layer: number): readonly string[] => TAKES[name] ?? LAYERS.slice(0, layer).flat()

/** The rule of a folder: what it may import; `why` is told of anything else. */
function bound(folder: string, may: readonly string[], why: string): Override {
  const name = folder.replace(/^packages\//, '')
  const [module = ''] = folder.split('/')
  const barred = ALL.filter(other => other !== name && !may.includes(other))
  // the parts of its own module are next to it
  const near = barred.filter(other => other.startsWith(`${module}/`)).map(other => other.slice(module.length + 1))
  const others = [...barred, ...near, 'packages']
  const paths = [
    ...Object.keys(USERS).filter(library => !(USERS[library] ?? []).includes(name)),
    ...(READ_PROJECTS.includes(name) ? READS : [])
  ]
  // a package stands above all that it takes
  const above = LAYERS.slice(LAYERS.findIndex(names => names.includes(name))).flat()
  const byName = Object.entries(PACKAGES).flatMap(([each, takes]) =>
    name in PACKAGES || takes.some(taken => above.includes(taken)) ? [`#${each}$`] : []
  )
  const files = `(\\.\\./)+(${others.join('|')})/`
  const patterns = [{regex: `^(${[files, ...byName].join('|')})`, message: `${name}: ${why} (src/README.md)`}]
  return {files: [`src/${folder}/**`], rules: {'no-restricted-imports': ['error', {paths, patterns}]}}
}

const bounds = [
  ...LAYERS.flatMap((names, layer) =>
    names.map(name => bound(name, allowed(name, layer), `layer ${layer} imports lower ones, and packages by name`))
  ),
  ...Object.entries(PACKAGES).map(([name, takes]) =>
    bound(`packages/${name}`, takes, `takes ${takes.join(', ')} alone`)
  )
]

export default defineConfig({
  plugins: ['typescript', 'unicorn', 'oxc', 'import', 'promise', 'node'],
  jsPlugins: ['./scripts/lint-plugin.js'],
  options: {typeAware: true},
  ignorePatterns: ['dist', 'test/fixtures', '**/*.generated.js', '**/*.generated.ts'],
  categories: {correctness: 'error', suspicious: 'error'},
  rules: {
    'pillion/shared-work': 'error',
    'pillion/user-words': 'error',
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
    'typescript/restrict-template-expressions': ['error', {allowNumber: true}],
    'typescript/return-await': 'error',
    'typescript/only-throw-error': 'error',
    'typescript/prefer-promise-reject-errors': 'error',
    'typescript/no-deprecated': 'error'
  },
  overrides: [
    {
      files: ['src/**'],
      excludeFiles: ['src/clients/cli/**'],
      rules: {'no-console': 'error', 'unicorn/no-process-exit': 'error'}
    },
    ...bounds,
    {
      files: ['test/**', 'src/packages/*/test/**'],
      rules: {'typescript/no-floating-promises': 'off', 'no-shadow': 'off', 'no-restricted-imports': 'off'}
    },
    {files: ['test/**', 'src/packages/*/test/**', 'bench/**'], rules: {'pillion/user-words': 'off'}}
  ]
})
