import type {JobFailurePolicy} from '../../../model/dapr/messages/common.generated.ts'
import type {Message} from '../../../proxy/net/grpc/message-codec.ts'
import type {FailurePolicy} from '../../../work/series/series.ts'

type PolicyMessage = Message<typeof JobFailurePolicy>

/** Reads the failure policy of a job or a reminder; undefined: the default. */
export function policyOf(
  {drop, constant}: PolicyMessage = {drop: undefined, constant: undefined}
): FailurePolicy | undefined {
  if (drop !== undefined) return {kind: 'drop'}
  const {seconds = 0n, nanos = 0} = constant?.interval ?? {}
  const intervalMs = Math.max(0, Number(seconds) * 1000 + nanos / 1e6)
  return constant && {kind: 'constant', intervalMs, maxRetries: constant.maxRetries}
}

export function policyMessage(policy: FailurePolicy): PolicyMessage {
  if (policy.kind === 'drop') return {drop: {}, constant: undefined}
  const {intervalMs, maxRetries} = policy
  const interval = {seconds: BigInt(Math.trunc(intervalMs / 1000)), nanos: Math.round((intervalMs % 1000) * 1e6)}
  return {drop: undefined, constant: {interval, maxRetries}}
}
