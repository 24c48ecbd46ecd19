import t from 'tap'
import {endsOf, fill, openWorkshop, OUTPUTS} from './orphans.ts'

const workshop = await openWorkshop(t)
const {kinds} = workshop
await fill(
  t,
  workshop,
  OUTPUTS.flatMap(output => endsOf(output).map(end => ({end, output, kinds, form: 'template' as const, graceMs: 500})))
)
