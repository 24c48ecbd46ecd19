import t from 'tap'
import {ENDS, fill, openWorkshop, OUTPUTS} from './orphans.ts'

const workshop = await openWorkshop(t, ['deaf'])
const {kinds} = workshop
await fill(
  t,
  workshop,
  OUTPUTS.flatMap(output => ENDS.map(end => ({end, output, kinds, form: 'single' as const, graceMs: 5000})))
)
