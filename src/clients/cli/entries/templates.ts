import {RUNTIME_VERSION} from '../../../model/version.ts'
import {boolFlag, envFlag, listFlag, outputFlag, textFlag, whichRun, type Flag} from '../flag.ts'
import {CONTEXT, NAMESPACE, withKubernetes, YES, type CommandEntry} from './command-entry.ts'
import {RUN_ENTRY, UP_ENTRY} from './run.ts'

const RUN_FILES = textFlag('run-file', 'Path to the run template file', {short: 'f', repeats: true, shown: '"."'})
const asRepeated = (flag: Flag): Flag => (flag.name === 'run-file' ? {...flag, repeats: true} : flag)

/** Commands for a template: run it, stop it, list runs, check it, write it. */
export const TEMPLATE_COMMANDS: readonly CommandEntry[] = [
  RUN_ENTRY,
  withKubernetes(
    {
      name: 'stop',
      summary: 'Stop apps. With -f: all apps of a template',
      flags: [
        textFlag('app-id', 'The application id to be stopped', 'a'),
        ...whichRun('Path to the run template file for the list of apps to stop', 'f').map(asRepeated),
        textFlag('version', 'Stop only this version of a Daeploy service')
      ],
      examples: ['stop --run-file dapr.yaml', 'stop --app-id <ID>', 'stop shop stock'],
      takesIds: true,
      load: async () => (await import('../commands/stop.ts')).stop
    },
    {
      text: 'Stop deployments in Kubernetes based on multi-app run file',
      flags: [CONTEXT, NAMESPACE, YES],
      load: async () => (await import('../commands/kubernetes/cluster.ts')).stopInCluster
    }
  ),
  UP_ENTRY,
  {
    name: 'down',
    summary: 'Stop all apps of this folder',
    flags: [...whichRun('Path to the template of the run, in place of this folder’s', 'f')],
    examples: ['down', 'down --name pr-214'],
    load: async () => (await import('../commands/stop.ts')).down
  },
  withKubernetes(
    {
      name: 'list',
      summary: "List the apps of all runs, as Dapr's CLI does",
      flags: [
        boolFlag('all-namespaces', 'If true, list all Dapr pods in all namespaces', 'A'),
        textFlag('namespace', 'List define namespace pod in a Kubernetes cluster'),
        outputFlag(['table', 'json', 'yaml'], {of: ' of the list', refusal: 'dapr'})
      ],
      examples: ['list', 'list -o json'],
      load: async () => (await import('../commands/list.ts')).list
    },
    {
      text: 'List all Dapr pods in a Kubernetes cluster',
      flags: [CONTEXT],
      load: async () => (await import('../commands/kubernetes/cluster.ts')).listInCluster
    }
  ),
  {
    name: 'ps',
    summary: 'Show the state, address, memory and CPU of each app',
    usage: '[id ...] [flags]',
    flags: [
      outputFlag(['table', 'json']),
      ...whichRun('Path to the run template of the run', 'f'),
      boolFlag('watch', 'Update the table until nothing runs', 'w'),
      boolFlag('wide', 'Show the IDs of processes')
    ],
    examples: ['ps', 'ps shop stock', 'ps -w', 'ps -o json'],
    takesIds: true,
    load: async () => (await import('../commands/ps.ts')).ps
  },
  {
    name: 'import',
    summary: 'Write a template from a Procfile, a compose file or a folder',
    usage: '[PATH ...] [flags]',
    flags: [
      boolFlag('all', 'Write all comments at the top of the template; else there are ten lines'),
      boolFlag('check', 'Start what was written, and report what each app lacks'),
      boolFlag('force', 'Overwrite an existing file'),
      textFlag(
        'from',
        'What to read if there are several sources. Valid values are: process-compose, compose, procfile, tilt, skaffold, aspire, kubernetes, or folder'
      ),
      textFlag('output', 'The file to write; - for standard output; with --check json for its report', {
        short: 'o',
        shown: '"dapr.yaml"'
      }),
      textFlag('timeout', 'With --check: time for the apps to become ready', {shown: '60s'}),
      boolFlag('yes', 'Run Tilt or Aspire, and so code of this project, without asking')
    ],
    examples: [
      'import Procfile -o -',
      'import Procfile compose.yaml',
      'import --from compose -o imported.yaml',
      'import --check'
    ],
    load: async () => (await import('../commands/import.ts')).importTemplate
  },
  {
    name: 'validate',
    summary: 'Check a template and report every mistake',
    flags: [
      envFlag('Set a variable of the template, KEY=VALUE; may be repeated'),
      outputFlag(['text', 'json'], {of: ' of the findings', refusal: 'dapr'}),
      listFlag('profile', 'Check it as it runs with these profiles'),
      RUN_FILES
    ],
    examples: ['validate', 'validate -f dapr.yaml', 'validate -o json'],
    load: async () => (await import('../commands/validate.ts')).validate
  },
  {
    name: 'export',
    summary: 'Write a template as Kubernetes objects or a compose file: for Dapr, with its sidecars',
    usage: 'kubernetes|compose [flags]',
    flags: [
      textFlag('dapr', "The version of Dapr's images in a compose file", {shown: `"${RUNTIME_VERSION}"`}),
      envFlag(),
      textFlag('namespace', 'The namespace of the Kubernetes objects', 'n'),
      textFlag('output', 'The folder for Kubernetes objects, the compose file, or - for stdout', {
        short: 'o',
        shown: '"-"'
      }),
      listFlag('profile', 'Include the apps that have one of these profiles'),
      RUN_FILES
    ],
    examples: [
      'export kubernetes -o k8s',
      'export kubernetes -n shop | kubectl apply -f -',
      'export compose -o deploy/compose.yaml'
    ],
    load: async () => (await import('../commands/export.ts')).exportTemplate
  },
  {
    name: 'doctor',
    summary: 'Check this machine for problems and suggest fixes',
    flags: [{...RUN_FILES, shown: '"." if it has one'}],
    examples: ['doctor', 'doctor -f dapr.yaml'],
    load: async () => (await import('../commands/doctor.ts')).doctor
  },
  {
    name: 'schema',
    summary: 'Print the JSON schema of a template',
    flags: [],
    examples: ['schema > template.json'],
    load: async () => (await import('../commands/version.ts')).schema
  },
  {
    name: 'version',
    summary: 'Print the version of Pillion and of its Dapr APIs',
    flags: [
      outputFlag(['json'], {text: 'The output format of the version command. Valid values are: json', refusal: 'dapr'})
    ],
    examples: ['version -o json'],
    load: async () => (await import('../commands/version.ts')).version
  }
]
