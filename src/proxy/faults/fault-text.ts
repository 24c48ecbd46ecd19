import type {FaultPlan} from '../../model/fault.ts'

/** Returns the calls of a rule: `checkout → payments POST /orders/*`, `any → any actor Cart`. */
export const edgeText = ({from, to, actor, method, path}: FaultPlan): string =>
  [`${from} → ${to}`, actor === '' ? '' : `actor ${actor}`, method, path].filter(text => text !== '').join(' ')

/** Returns the effect of a rule: `300 ms ± 50 ms later, 503`. */
export function effectText(plan: FaultPlan): string {
  const {delayMs, jitterMs} = plan
  const jitter = jitterMs === 0 ? '' : ` ± ${durationText(jitterMs)}`
  const delay = delayMs === 0 ? '' : `${durationText(delayMs)}${jitter} later`
  return [delay, kindText(plan)].filter(text => text !== '').join(', ')
}

/** Returns the share of hit calls: `20 % of the calls`; '': all calls. */
export const rateText = ({rate}: FaultPlan): string =>
  rate === 1 ? '' : `${(rate * 100).toFixed(2).replace(/\.?0+$/, '')} % of the calls`

/** Returns the rule's limit: `3 times`, `for 5 min`; '': until the run ends. */
export const limitText = ({times, forMs}: FaultPlan): string =>
  [
    times === Infinity ? '' : times === 1 ? 'once' : `${times} times`,
    forMs === Infinity ? '' : `for ${durationText(forMs)}`
  ]
    .filter(text => text !== '')
    .join(', ')

function kindText({kind, status, cutAfter}: FaultPlan): string {
  switch (kind) {
    case 'none':
      return ''
    case 'status':
      return status.toString()
    case 'abort':
      return "the caller's connection is reset"
    case 'never':
      return 'no response'
    case 'cut':
      return cutAfter === 0 ? 'cut after the head' : `cut after ${cutAfter} bytes`
    case 'kill':
      return 'the callee is killed'
  }
}

const durationText = (ms: number): string => {
  if (ms < 1000) return `${Math.round(ms)} ms`
  return ms < 60_000 ? `${ms / 1000} s` : `${(ms / 60_000).toFixed(1).replace(/\.0$/, '')} min`
}
