import type * as Api from '../../../model/api.generated.ts'
import {exceptionText} from '../../../model/thrown-at.ts'
import {wallTime} from '../../../platform/wall-time.ts'
import {summaryOf} from '../../telemetry/otlp/conventions.ts'
import {spanDetails, type Attributes, type ReceivedSpan} from '../../telemetry/otlp/received.ts'
import type {Masking} from '../../telemetry/recorder/masking.ts'

/** Kinds of spans, by their numbers in trace.proto. */
const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const

/** Returns a span for views, with masked secrets. `began`: the start of its tree. */
export function spanView(span: ReceivedSpan, masking: Masking, began: number): Api.Span {
  const {traceId, spanId, parentId, app, name, kind, startedAt, endedAt, isFailed} = span
  const {scope, message, attributes, exception, events = []} = spanDetails(span)
  const masked = maskedAttributes(attributes, masking)
  return {
    traceId,
    spanId,
    parentId,
    app,
    name: masking.text(name),
    kind: KINDS[kind] ?? 'unspecified',
    scope,
    startMs: wallTime.at(startedAt) - began,
    totalMs: endedAt - startedAt,
    isFailed,
    summary: summaryOf(masked),
    message: masking.text(message),
    exception: exception === undefined ? null : maskedException(exception, masking),
    attributes: Object.fromEntries(masked),
    events: events.map(event => ({
      name: masking.text(event.name),
      startMs: event.at,
      attributes: Object.fromEntries(maskedAttributes(event.attributes, masking))
    }))
  }
}

const maskedAttributes = (attributes: Attributes, masking: Masking): Attributes =>
  attributes.map(([name, value]) => {
    // `authorization` of `http.request.header.authorization`
    const last = name.slice(name.lastIndexOf('.') + 1)
    if (masking.isSecret(name, value) || masking.isSecret(last, value)) return [name, masking.value(value)]
    const isQuery = name === 'url.query' && !value.startsWith('?')
    return [name, isQuery ? masking.target(`?${value}`).slice(1) : masking.text(value)]
  })

export const maskedException = ({type, message, stack}: Api.SpanException, masking: Masking): Api.SpanException => ({
  type,
  message: masking.text(message),
  stack: masking.text(stack)
})

/** Removes repeated exceptions: SDKs copy an exception to each span above, and only the deepest keeps it. */
export function exceptionsOnce(nodes: readonly Api.TreeNode[]): readonly Api.TreeNode[] {
  const ends = endsOf(nodes)
  /** Index of the next row with an exception, by the text of the exception. */
  const next = new Map<string, number>()
  return nodes
    .toReversed()
    .map((node, fromLast) => {
      const index = nodes.length - 1 - fromLast
      const texts = textsOf(node)
      const inside = new Set(texts.filter(text => (next.get(text) ?? Infinity) < (ends[index] ?? 0)))
      for (const text of texts) next.set(text, index)
      if (inside.size === 0) return node
      const spans = node.spans.map(span =>
        inside.has(exceptionText(span.exception)) ? {...span, exception: null} : span
      )
      return {...node, spans, failure: inside.has(node.failure) ? '' : node.failure}
    })
    .toReversed()
}

/** Returns for each row the index of the next row that is not below it. */
function endsOf(nodes: readonly Api.TreeNode[]): readonly number[] {
  const ends = nodes.map(() => nodes.length)
  const above: number[] = []
  for (const [index, {depth}] of nodes.entries()) {
    for (let last = above.at(-1); last !== undefined && (nodes[last]?.depth ?? 0) >= depth; last = above.at(-1)) {
      ends[last] = index
      above.pop()
    }
    above.push(index)
  }
  return ends
}

const textsOf = ({spans}: Api.TreeNode): readonly string[] =>
  spans.map(({exception}) => exceptionText(exception)).filter(text => text !== '')
