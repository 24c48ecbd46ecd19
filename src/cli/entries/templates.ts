import {
  DOCTOR_FLAGS,
  DOWN_FLAGS,
  LIST_FLAGS,
  RUN_FLAGS,
  STOP_FLAGS,
  UP_FLAGS,
  VALIDATE_FLAGS,
  VERSION_FLAGS
} from '../flags.ts'
import {EXPORT_FLAGS, IMPORT_FLAGS, PS_FLAGS} from '../verb-flags.ts'
import type {CommandEntry} from './command-entry.ts'

/** Commands for a template: run it, stop it, see what runs, check it, write it. */
export const TEMPLATE_COMMANDS: readonly CommandEntry[] = [
  {
    name: 'run',
    summary: 'Run the apps of a template, each with its sidecar. Supported platforms: Self-hosted',
    usage: '[flags]',
    flags: RUN_FLAGS,
    examples: ['run --run-file dapr.yaml', 'run --run-file /path/to/directory', 'run --run-file -'],
    load: async () => (await import('../commands/run.ts')).run,
    loadKubernetes: async () => (await import('../commands/kubernetes/run.ts')).runInCluster
  },
  {
    name: 'stop',
    summary: 'Stop Dapr instances and their associated apps. Supported platforms: Self-hosted',
    usage: '[flags]',
    flags: STOP_FLAGS,
    examples: ['stop --run-file dapr.yaml', 'stop --app-id <ID>', 'stop shop stock'],
    takesIds: true,
    load: async () => (await import('../commands/stop.ts')).stop,
    loadKubernetes: async () => (await import('../commands/kubernetes/stop.ts')).stopInCluster
  },
  {
    name: 'up',
    summary: 'Run the template in this folder, as run -f . does',
    usage: '[flags]',
    flags: UP_FLAGS,
    examples: [
      'up',
      'up --watch',
      'up --except shop',
      'up -f dapr.yaml -f mine.yaml',
      'up --profile debug',
      "up --run 'npm test'"
    ],
    load: async () => (await import('../commands/run.ts')).up
  },
  {
    name: 'down',
    summary: 'Stop the runs of the template in this folder, as stop -f . does',
    usage: '[flags]',
    flags: DOWN_FLAGS,
    examples: ['down'],
    load: async () => (await import('../commands/stop.ts')).down
  },
  {
    name: 'list',
    summary: 'List all Dapr instances. Supported platforms: Self-hosted',
    usage: '[flags]',
    flags: LIST_FLAGS,
    examples: ['list', 'list -o json'],
    load: async () => (await import('../commands/list.ts')).list,
    loadKubernetes: async () => (await import('../commands/kubernetes/list.ts')).listInCluster
  },
  {
    name: 'ps',
    summary: 'Show the state, address, process, restarts, memory and CPU of each app',
    usage: '[id ...] [flags]',
    flags: PS_FLAGS,
    examples: ['ps', 'ps shop stock', 'ps -w', 'ps -o json'],
    takesIds: true,
    load: async () => (await import('../commands/ps.ts')).ps
  },
  {
    name: 'import',
    summary: 'Write a template from a Procfile, a compose or process-compose file, or the projects in a folder',
    usage: '[PATH] [flags]',
    flags: IMPORT_FLAGS,
    examples: ['import Procfile -o -', 'import --from compose -o imported.yaml'],
    load: async () => (await import('../commands/import.ts')).importTemplate
  },
  {
    name: 'validate',
    summary: 'Check a template without running it, and report every mistake',
    usage: '[flags]',
    flags: VALIDATE_FLAGS,
    examples: ['validate', 'validate -f dapr.yaml', 'validate -o json'],
    load: async () => (await import('../commands/validate.ts')).validate
  },
  {
    name: 'export',
    summary: 'Write a template as Kubernetes objects for Dapr, or as a compose file with sidecars',
    usage: 'kubernetes|compose [flags]',
    flags: EXPORT_FLAGS,
    examples: [
      'export kubernetes -o k8s',
      'export kubernetes -n shop | kubectl apply -f -',
      'export compose -o deploy/compose.yaml'
    ],
    load: async () => (await import('../commands/export.ts')).exportTemplate
  },
  {
    name: 'doctor',
    summary: 'Check this machine and template for problems and suggest fixes',
    usage: '[flags]',
    flags: DOCTOR_FLAGS,
    examples: ['doctor', 'doctor -f dapr.yaml'],
    load: async () => (await import('../commands/doctor.ts')).doctor
  },
  {
    name: 'schema',
    summary: 'Print the JSON schema of a run template, for editors',
    usage: '[flags]',
    flags: [],
    examples: ['schema > template.json'],
    load: async () => (await import('../commands/schema.ts')).schema
  },
  {
    name: 'version',
    summary: 'Print the version of Pillion and the version of the Dapr runtime it is compatible with',
    usage: '[flags]',
    flags: VERSION_FLAGS,
    examples: ['version -o json'],
    load: async () => (await import('../commands/version.ts')).version
  }
]
