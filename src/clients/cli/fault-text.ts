import type * as Api from '../../model/api.generated.ts'
import type {FoundRun} from '../../control/client.ts'

/** Returns the faults of a run that are enabled. */
export const faultsOn = ({faults = []}: FoundRun['listing']): readonly Api.Fault[] =>
  faults.filter(({isEnabled}) => isEnabled)

/** Describes a fault in one line. */
export const addedText = ({number, texts: {edge, effect, rate, limit}}: Api.Fault): string => {
  const more = [rate, limit].filter(text => text !== '').map(text => ` (${text})`)
  return `fault ${number} is on: ${edge}: ${effect}${more.join('')}`
}
