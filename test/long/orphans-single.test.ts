import t from 'tap'
import {ENDS, fill, openWorkshop, OUTPUTS} from './orphans.ts'

// npm takes long to start, and is like the wrapper: it gets the ends by which most is lost
const NPM_ENDS: readonly string[] = ['TERM', 'INT twice', 'KILL']
/** Ends that a terminal brings, and those that tell nothing: with the others it is no other output than a pipe. */
const TERMINAL_ENDS: readonly string[] = ['HUP', 'INT', 'KILL']

const workshop = await openWorkshop(t, ['plain', 'wrapper', 'session', 'npm', 'go'])
await fill(
  t,
  workshop,
  workshop.kinds.flatMap(kind =>
    OUTPUTS.flatMap(output =>
      ENDS.filter(
        end => (kind !== 'npm' || NPM_ENDS.includes(end)) && (output !== 'terminal' || TERMINAL_ENDS.includes(end))
      ).map(end => ({
        end,
        output,
        kinds: [kind],
        form: 'single' as const,
        graceMs: 5000
      }))
    )
  )
)
