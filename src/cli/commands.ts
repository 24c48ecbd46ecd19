import {OTHER_COMMANDS} from './entries/others.ts'
import {RUN_COMMANDS} from './entries/runs.ts'
import {TEMPLATE_COMMANDS} from './entries/templates.ts'
import type {CommandEntry} from './entries/command-entry.ts'

/** All commands, in the order of the help. */
export const COMMANDS: readonly CommandEntry[] = [
  ...TEMPLATE_COMMANDS,
  ...RUN_COMMANDS,
  ...OTHER_COMMANDS,
  {
    name: 'completion',
    summary: 'Generates shell completion scripts',
    usage: 'bash|zsh|fish',
    flags: [],
    examples: ['completion bash > ~/.pillion-completion', 'completion fish | source'],
    load: async () => (await import('./commands/completion.ts')).completion(COMMANDS)
  },
  {
    name: 'build-info',
    summary: 'Print build info of the program',
    usage: '[flags]',
    flags: [],
    examples: [],
    load: async () => (await import('./commands/version.ts')).buildInfo
  }
]

/** Commands of Dapr's CLI for Kubernetes, or for services that do not exist here. */
export const NOT_BUILT: ReadonlySet<string> = new Set([
  'annotate',
  'components',
  'configurations',
  'mcpservers',
  'mtls',
  'renew-certificate',
  'sched',
  'scheduler',
  'status',
  'upgrade',
  'wf',
  'workflow'
])
