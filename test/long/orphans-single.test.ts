import t from 'tap'
import {endsOf, fill, openWorkshop, OUTPUTS} from './orphans.ts'

// npm takes long to start, and is like the wrapper: it gets the ends by which most is lost
const NPM_ENDS: readonly string[] = ['TERM', 'INT twice', 'KILL']

const workshop = await openWorkshop(t, ['plain', 'wrapper', 'session', 'npm', 'go'])
await fill(
  t,
  workshop,
  workshop.kinds.flatMap(kind =>
    OUTPUTS.flatMap(output =>
      endsOf(output)
        .filter(end => kind !== 'npm' || NPM_ENDS.includes(end))
        .map(end => ({end, output, kinds: [kind], form: 'single' as const, graceMs: 5000}))
    )
  )
)
