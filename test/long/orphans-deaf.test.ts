import t from 'tap'
import {endsOf, fill, openWorkshop, OUTPUTS} from './orphans.ts'

const workshop = await openWorkshop(t, ['deaf'])
const {kinds} = workshop
await fill(
  t,
  workshop,
  OUTPUTS.flatMap(output => endsOf(output).map(end => ({end, output, kinds, form: 'single' as const, graceMs: 5000})))
)
