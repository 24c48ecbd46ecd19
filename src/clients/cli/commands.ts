import {CALL_COMMANDS} from './entries/calls.ts'
import {OTHER_COMMANDS, AGENT} from './entries/others.ts'
import {APP_COMMANDS} from './entries/apps.ts'
import {COPIES, RUN_COMMANDS, SHOW} from './entries/runs.ts'
import {TEMPLATE_COMMANDS} from './entries/templates.ts'
import {ACTORS_COMMAND, REMINDERS} from './entries/actors.ts'
import {JOB_VERBS, SCHEDULER} from './entries/jobs.ts'
import {SKIP, WORKFLOW} from './entries/workflows.ts'
import type {CommandEntry} from './entries/command-entry.ts'

/** All commands, in the order of the help. */
export const COMMANDS: readonly CommandEntry[] = [
  ...TEMPLATE_COMMANDS,
  ...APP_COMMANDS,
  ...RUN_COMMANDS,
  ...CALL_COMMANDS,
  WORKFLOW,
  JOB_VERBS,
  SCHEDULER,
  ACTORS_COMMAND,
  REMINDERS,
  SKIP,
  COPIES,
  SHOW,
  AGENT,
  ...OTHER_COMMANDS,
  {
    name: 'completion',
    summary: 'Print a completion script for your shell',
    usage: 'bash|zsh|fish',
    flags: [],
    examples: ['completion bash > ~/.pillion-completion', 'completion fish | source'],
    load: async () => (await import('./commands/completion.ts')).completion(COMMANDS)
  },
  {
    name: 'build-info',
    summary: 'Print how the program was built',
    flags: [],
    examples: [],
    load: async () => (await import('./commands/version.ts')).buildInfo
  }
]

const IN_CLUSTER = "for a cluster use Dapr's own CLI"
const forKubernetes = (name: string): readonly [string, string] => [name, `${name} is for Kubernetes: ${IN_CLUSTER}`]
const notYet = (name: string): readonly [string, string] => [name, `${name} is not supported yet: use Dapr's own CLI`]

/** Commands of Dapr's CLI for Kubernetes, or for services that do not exist here, with their answers. */
export const NOT_BUILT: ReadonlyMap<string, string> = new Map([
  ['status', `status is for Kubernetes: "pillion ps" shows what runs here; ${IN_CLUSTER}`],
  ['components', `components is for Kubernetes: "pillion validate" checks those of a template; ${IN_CLUSTER}`],
  ['configurations', `configurations is for Kubernetes: "pillion validate" checks those of a template; ${IN_CLUSTER}`],
  ...['annotate', 'mtls', 'renew-certificate'].map(forKubernetes),
  notYet('mcpservers')
])
