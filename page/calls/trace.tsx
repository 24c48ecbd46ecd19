import type * as Api from '../../src/model/api.generated.ts'
import type {ComponentChildren} from 'preact'
import {useEffect, useRef, useState} from 'preact/hooks'
import {shownCause} from '../../src/model/call-end.ts'
import {guessText, reasonText} from '../../src/model/tree-words.ts'
import {Bars, type Bar} from '../parts/bars.tsx'
import {count, timeOfDay} from '../parts/format.ts'
import {visible, withoutColours} from '../parts/safe-text.ts'
import {api, keptOr} from '../state/api.ts'
import {now} from '../state/clock.ts'
import {hrefOf} from '../state/route.ts'
import {endAll, listen} from '../state/run.ts'
import {hrefOfCall} from './columns.tsx'

/** The number of lines shown at one step at most. */
const MAX_LINES = 50

/** The delay before a request that is open or has just ended is loaded again. */
const AGAIN_MS = 1000
/** How long after a request its spans may arrive: the longest export delay of the SDKs. */
const SPANS_MS = 6000

/** Returns the whole request that `q` (of `GET /trace`) is part of; a string says why there is none. A new `version` loads it again. */
export function useTree(q: string, version: string): Api.RequestTree | string | undefined {
  const [tree, setTree] = useState<Api.RequestTree | string | undefined>(undefined)
  const shown = useRef('')
  useEffect(() => {
    const gone = new AbortController()
    let again: ReturnType<typeof setTimeout> | undefined
    const load = async (): Promise<void> => {
      try {
        const found = await api.ask('GET /trace', {query: {q}, signal: gone.signal})
        setTree(found)
        shown.current = q
        clearTimeout(again)
        if (found.nodes.some(node => node.isOpen) || isYoung(found)) again = setTimeout(() => void load(), AGAIN_MS)
      } catch (error) {
        if (!gone.signal.aborted) setTree(keptOr(error, () => shown.current === q))
      }
    }
    void load()
    const stop = listen('following', () => void load())
    return endAll(
      () => gone.abort(),
      () => clearTimeout(again),
      stop
    )
  }, [q, version])
  return tree
}

/** Returns whether spans of a request may still arrive. */
const isYoung = ({nodes}: Api.RequestTree): boolean =>
  nodes.some(({at, totalMs}) => Date.parse(at) + totalMs > Date.now() - SPANS_MS)

/** Shows all steps of a request as bars over time, with what apps wrote meanwhile; the error of the failed step is open. */
export function Tree({tree}: {readonly tree: Api.RequestTree}) {
  const [hasLines, setHasLines] = useState(false)
  const {nodes, lines, asked, failedAt, leftOut, linesLeftOut} = tree
  const first = Date.parse(nodes[0]?.at ?? '')
  const shown = linesByNode(tree, hasLines)
  return (
    <>
      <Bars
        bars={nodes.map((node, index) => {
          const parent = nodes.slice(0, index).findLast(({depth}) => depth < node.depth)
          return barOf(node, {
            first,
            asked,
            name: node.from === parent?.to && node.to !== '' ? node.to : edgeOf(node),
            below: (
              <Below node={node} lines={shown.get(node.id) ?? []} isWhereItFailed={failedAt === node.id && !hasLines} />
            )
          })
        })}
        label="Calls of the request"
        noteHead="Status"
        now={now.value}
      />
      {leftOut > 0 && <p class="soft">{count(leftOut)} more calls are not shown.</p>}
      {lines.length > 0 && (
        <p>
          <label>
            <input type="checkbox" checked={hasLines} onChange={event => setHasLines(event.currentTarget.checked)} />{' '}
            all log lines ({count(lines.length)})
          </label>
          {linesLeftOut > 0 && <span class="soft"> ({count(linesLeftOut)} earlier ones are not shown)</span>}
        </p>
      )}
    </>
  )
}

/** Shows the tree of a workflow or a trace; loads it when opened. */
export function FoldedTree({q, version}: {readonly q: string; readonly version: string}) {
  const [isOpen, setOpen] = useState(false)
  return (
    <details class="message" onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>The whole request</summary>
      {isOpen && <AskedTree q={q} version={version} />}
    </details>
  )
}

function AskedTree({q, version}: {readonly q: string; readonly version: string}) {
  const tree = useTree(q, version)
  return typeof tree === 'string' ? <p class="bad">{tree}</p> : tree === undefined ? null : <Tree tree={tree} />
}

/** Returns why a request failed: the exception that an SDK reported, the first error line of the app, or what the caller got. */
export function errorOf({nodes, lines, failedAt}: Api.RequestTree): string {
  const began = nodes.find(({id}) => id === failedAt)
  const {type = '', message = ''} = began?.spans.find(({exception}) => exception !== null)?.exception ?? {}
  const thrown = [type, message].filter(text => text !== '').join(': ')
  const written = errorAmong(lines.filter(({node}) => node === failedAt))
  return visible(
    thrown ||
      (written === undefined ? '' : withoutColours(written.line.line)) ||
      firstLine(shownCause(began?.failure ?? ''))
  )
}

const errorAmong = (lines: readonly Api.TreeLine[]): Api.TreeLine | undefined =>
  lines.find(({line: {level, line}}) => level === 'error' && !/^\s/.test(line))

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? ''

/** Returns the lines of each step: errors, warnings and all lines of the failed step, or every line (`hasLines`). */
const linesByNode = (
  {lines, failedAt}: Api.RequestTree,
  hasLines: boolean
): ReadonlyMap<number, readonly Api.TreeLine[]> =>
  Map.groupBy(
    lines.filter(({node, line: {level}}) => hasLines || node === failedAt || level === 'error' || level === 'warn'),
    ({node}) => node
  )

export const edgeOf = ({from, to}: Api.TreeNode): string => visible(to === '' ? from : `${from} → ${to}`)

export function Name({
  node: {call, workflow},
  isAsked = false,
  children
}: {
  readonly node: Api.TreeNode
  readonly isAsked?: boolean
  readonly children: ComponentChildren
}) {
  const current = isAsked ? 'true' : undefined
  if (call !== null)
    return (
      <a href={hrefOfCall(call.number)} aria-current={current}>
        {children}
      </a>
    )
  if (workflow === null) return <>{children}</>
  const {app, id, eventId} = workflow
  return (
    <a href={hrefOf('workflows', [app, id], {step: eventId?.toString() ?? ''})} aria-current={current}>
      {children}
    </a>
  )
}

interface Around {
  /** The start of the request, in ms since 1970. */
  readonly first: number
  readonly asked: number
  readonly name: string
  readonly below: ComponentChildren
}

function barOf(node: Api.TreeNode, {first, asked, name, below}: Around): Bar {
  const {id, depth, count: many, link, what, startMs, totalMs, isOpen, isFailed, outcome, failure} = node
  const from = first + startMs
  const guess = guessText(link)
  const said = [
    isFailed ? `✕ ${outcome}` : outcome,
    many > 1 ? `${count(many)} times` : '',
    guess,
    // the card above has the reason of a call; a span has no other place for its error
    /^\d+$/.test(outcome) ? '' : visible(firstLine(failure))
  ]
  return {
    key: keyOf(node),
    label: (
      <span title={reasonText(link)}>
        <Name node={node} isAsked={id === asked}>
          {visible(name)}
        </Name>{' '}
        <code>{visible(what)}</code>
      </span>
    ),
    from,
    to: isOpen ? undefined : from + totalMs,
    depth,
    tone: isFailed ? 'failed' : 'done',
    isGuess: guess !== '',
    note: said.filter(text => text !== '').join(', '),
    below
  }
}

interface BelowProps {
  readonly node: Api.TreeNode
  readonly lines: readonly Api.TreeLine[]
  readonly isWhereItFailed: boolean
}

/** Shows the spans and lines of a step; for the failed step, the error comes first and the other lines are folded. */
function Below({node: {kind, spans}, lines, isWhereItFailed}: BelowProps) {
  const error = isWhereItFailed ? errorAmong(lines) : undefined
  return (
    <>
      {spans.length > 0 && <Spans spans={spans} isOwn={kind === 'span'} />}
      {error !== undefined && <Lines lines={[error]} />}
      {error !== undefined && lines.length > 1 && (
        <details class="said">
          <summary>{count(lines.length - 1)} more lines</summary>
          <Lines lines={lines} />
        </details>
      )}
      {error === undefined && lines.length > 0 && <Lines lines={lines} />}
    </>
  )
}

/** Returns a key that stays the same when more spans arrive, so that opened details stay open; only ids of calls are stable. */
function keyOf({id, call, spans: [span]}: Api.TreeNode): string {
  return call === null && span !== undefined ? `${span.traceId} ${span.spanId}` : id.toString()
}

/** Shows spans, folded. `isOwn`: the row itself is this span, so its summary is not repeated. */
function Spans({spans, isOwn}: {readonly spans: readonly Api.Span[]; readonly isOwn: boolean}) {
  return (
    <details class="said">
      <summary>
        {isOwn
          ? 'attributes'
          : spans
              .map(({app, kind, summary, name}) => `${visible(app)} ${kind}: ${visible(summary || name)}`)
              .join(' · ')}
      </summary>
      <pre tabIndex={0} aria-label="Span">
        {spans.map(spanText).join('\n')}
      </pre>
    </details>
  )
}

function spanText({name, kind, scope, traceId, spanId, message, exception, attributes, events}: Api.Span): string {
  const {type = '', message: thrown = '', stack = ''} = exception ?? {}
  const fields = [
    ['name', name],
    ['kind', kind],
    ['scope', scope],
    ['trace', `${traceId} ${spanId}`],
    ['status', message],
    ['exception', [type, thrown].filter(word => word !== '').join(': ')],
    ['', stack],
    ...Object.entries(attributes),
    ...events.map(event => ['event', `${event.name} ${JSON.stringify(event.attributes)}`] as const)
  ] as const
  return fields
    .filter(([, text]) => text !== '')
    .map(([field, text]) => `${visible(field).padEnd(28)} ${visible(text)}\n`)
    .join('')
}

function Lines({lines}: {readonly lines: readonly Api.TreeLine[]}) {
  const left = lines.length - MAX_LINES
  return (
    <pre class="said" tabIndex={0} aria-label="Lines">
      {left > 0 && `… ${left} earlier lines\n`}
      {lines.slice(-MAX_LINES).map(({others, line: {time, app, line, level}}) => (
        <span class={level === 'error' ? 'bad' : ''}>
          {`${time === null ? '' : timeOfDay(time)} ${visible(app)} ${withoutColours(line)}`}
          {others > 0 && <span class="soft">{` (or for another of its ${others + 1} requests)`}</span>}
          {'\n'}
        </span>
      ))}
    </pre>
  )
}
