import type {CommandHandler} from '../command-handler.ts'
import {boolFlag, textFlag, type Flag} from '../flag.ts'
import type {CommandWords} from '../help.ts'

/** Description of a command for parsing, help and completion. Its code is loaded only when the user calls it. */
export interface CommandEntry extends CommandWords {
  /** Subcommands, each with its whole name: `workflow list`. */
  readonly verbs?: readonly CommandEntry[]
  readonly required?: readonly string[]
  readonly load: () => Promise<CommandHandler>
  /** Loads the code for `--kubernetes`. */
  readonly loadKubernetes?: () => Promise<CommandHandler>
}

/** Returns commands, each followed by its subcommands. */
export const andVerbs = <T extends {readonly verbs?: readonly T[]}>(commands: readonly T[]): readonly T[] =>
  commands.flatMap(entry => [entry, ...(entry.verbs ?? [])])

/** Part of a command for `--kubernetes`: the help of that flag, the flags that need it, and the code. */
interface InCluster {
  readonly text: string
  readonly flags: readonly Flag[]
  readonly load: () => Promise<CommandHandler>
}

export const CONTEXT = textFlag('context', 'With -k: the context of the kubeconfig; default: the current one')
export const NAMESPACE = textFlag('namespace', "With -k: the namespace; default: the context's", 'n')
export const YES = boolFlag('yes', 'With -k: do not ask before using a cluster that is not on this machine')

export const SOCKET = textFlag(
  'unix-domain-socket',
  'Path to a unix domain socket dir. If specified, Dapr API servers will use Unix Domain Sockets',
  'u'
)

/** Returns a command that also works on a cluster. */
export const withKubernetes = (entry: CommandEntry, {text, flags, load}: InCluster): CommandEntry => ({
  ...entry,
  flags: [...entry.flags, boolFlag('kubernetes', text, 'k'), ...flags.map(flag => ({...flag, needsKubernetes: true}))],
  loadKubernetes: load
})
