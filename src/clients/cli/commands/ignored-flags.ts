import type {CommandContext} from '../command-handler.ts'
import {WITH_TEMPLATE} from '../entries/run.ts'
import type {Flag} from '../flag.ts'
import {signedLine} from '../print.ts'
import type {Terminal} from '../terminal.ts'

/** Warns of flags that are ignored with a template (`executeRun` in Dapr's `cmd/run.go`); `more`: others that are not. */
export function warnOfIgnored({flags, asJson}: CommandContext, {out}: Terminal, more: readonly Flag[] = []): void {
  const known = new Set([...WITH_TEMPLATE, ...more.map(({name}) => name)])
  const ignored = flags.names.filter(name => !known.has(name)).toSorted()
  if (ignored.length === 0) return
  const message = `The following flags are ignored when using --run-file and should be configured in the run file instead: ${ignored.join(', ')}`
  void out.print(signedLine('warning', message, asJson))
}
