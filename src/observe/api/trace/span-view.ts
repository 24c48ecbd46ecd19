import type * as Api from '../../../model/api.generated.ts'
import {exceptionText} from '../../../model/thrown-at.ts'
import {wallTime} from '../../../platform/wall-time.ts'
import {summaryOf} from '../../telemetry/otlp/conventions.ts'
import {spanDetails, type Attributes, type ReceivedException, type ReceivedSpan} from '../../telemetry/otlp/received.ts'
import type {Masking} from '../../telemetry/recorder/masking.ts'

/** By their numbers in trace.proto. */
const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const

export const spanKindOf = (kind: Api.Span['kind']): number => KINDS.indexOf(kind)

/** A span as it is shown: what is secret in it is masked. `began`: the start of its tree. */
export function spanView(span: ReceivedSpan, masking: Masking, began: number): Api.Span {
  const {traceId, spanId, parentId, app, name, kind, startedAt, endedAt, isFailed} = span
  const {scope, message, attributes, exception, events = []} = spanDetails(span)
  const masked = maskedAttributes(attributes, masking)
  return {
    traceId,
    spanId,
    parentId,
    app,
    name: masking.target(name),
    kind: KINDS[kind] ?? 'unspecified',
    scope,
    startMs: wallTime.at(startedAt) - began,
    totalMs: endedAt - startedAt,
    isFailed,
    summary: summaryOf(masked),
    message: masking.target(message),
    exception: exception === undefined ? null : maskedException(exception, masking),
    attributes: Object.fromEntries(masked),
    events: events.map(event => ({
      name: event.name,
      startMs: event.at,
      attributes: Object.fromEntries(maskedAttributes(event.attributes, masking))
    }))
  }
}

const maskedAttributes = (attributes: Attributes, masking: Masking): Attributes =>
  attributes.map(([name, value]) => {
    // `http.request.header.authorization`
    const last = name.slice(name.lastIndexOf('.') + 1)
    if (masking.isSecret(name, value) || masking.isSecret(last, value)) return [name, masking.value(value)]
    const isQuery = name === 'url.query' && !value.startsWith('?')
    return [name, isQuery ? masking.target(`?${value}`).slice(1) : masking.target(value)]
  })

export const maskedException = ({type, message, stack}: ReceivedException, masking: Masking): Api.SpanException => ({
  type,
  message: masking.target(message),
  stack: masking.target(stack)
})

/** SDKs repeat an exception on each span on the way up: it stays at the deepest one. */
export function exceptionsOnce(nodes: readonly Api.TreeNode[]): readonly Api.TreeNode[] {
  return nodes.map((node, index) => {
    const texts = textsOf(node)
    if (texts.length === 0) return node
    const end = nodes.findIndex(({depth}, other) => other > index && depth <= node.depth)
    const inside = new Set(nodes.slice(index + 1, end < 0 ? nodes.length : end).flatMap(textsOf))
    if (!texts.some(text => inside.has(text))) return node
    const spans = node.spans.map(span =>
      inside.has(exceptionText(span.exception)) ? {...span, exception: null} : span
    )
    return {...node, spans, failure: inside.has(node.failure) ? '' : node.failure}
  })
}

const textsOf = ({spans}: Api.TreeNode): readonly string[] =>
  spans.map(({exception}) => exceptionText(exception)).filter(text => text !== '')
