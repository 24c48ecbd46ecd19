import type * as Api from '../../src/model/api.generated.ts'
import type {ComponentChildren} from 'preact'
import {useEffect, useState} from 'preact/hooks'
import {guessText, reasonText} from '../../src/model/call-guess.ts'
import {piecesOf} from '../logs/ansi.ts'
import {Bars, type Bar} from '../parts/bars.tsx'
import {count, timeOfDay} from '../parts/format.ts'
import {visible} from '../parts/safe-text.ts'
import {api, problemOf} from '../state/api.ts'
import {now} from '../state/clock.ts'
import {hrefOf} from '../state/route.ts'
import {hrefOfCall} from './columns.tsx'

/** Of one app's lines so many are shown at one place. */
const MAX_LINES = 50

/** A request that is under way, or has just ended, is asked about again after this time. */
const AGAIN_MS = 1000
/** Apps send their spans so long after a request, at most: their SDKs' longest delay. */
const SPANS_MS = 6000

/**
 * The whole request that something belongs to: all that was done for it, as bars over time, and what apps wrote meanwhile. `q`: as the API has it; `isOpen`: it is
 * shown at once. `version`: with another one, something has happened to it.
 */
export function Trace({q, isOpen, version}: {readonly q: string; readonly isOpen: boolean; readonly version: string}) {
  const [isShown, setShown] = useState(isOpen)
  const [tree, setTree] = useState<Api.RequestTree | string | undefined>(undefined)
  useEffect(() => {
    if (!isShown) return undefined
    const gone = new AbortController()
    let again: ReturnType<typeof setTimeout> | undefined
    const load = async (): Promise<void> => {
      try {
        const found = await api.ask('GET /trace', {query: {q}, signal: gone.signal})
        setTree(found)
        if (found.nodes.some(node => node.isOpen) || isYoung(found)) again = setTimeout(() => void load(), AGAIN_MS)
      } catch (error) {
        if (!gone.signal.aborted) setTree(problemOf(error).message)
      }
    }
    void load()
    return () => {
      gone.abort()
      clearTimeout(again)
    }
  }, [q, isShown, version])
  return (
    <details class="message" open={isOpen} onToggle={event => setShown(event.currentTarget.open)}>
      <summary>The whole request</summary>
      {typeof tree === 'string' && <p class="bad">{tree}</p>}
      {typeof tree === 'object' && <Tree tree={tree} />}
    </details>
  )
}

/** More may be told of it. */
const isYoung = ({nodes}: Api.RequestTree): boolean =>
  nodes.some(({at, totalMs}) => Date.parse(at) + totalMs > Date.now() - SPANS_MS)

function Tree({tree}: {readonly tree: Api.RequestTree}) {
  const [hasLines, setHasLines] = useState(false)
  const {nodes, lines, asked, failedAt, leftOut, linesLeftOut} = tree
  const began = nodes.find(({id}) => id === failedAt)
  const first = Date.parse(nodes[0]?.at ?? '')
  const shown = linesByNode(tree, hasLines)
  return (
    <>
      {began !== undefined && began.id !== asked && (
        <p>
          The failure began at{' '}
          <Name node={began}>
            {edgeOf(began)} {began.outcome}
          </Name>
        </p>
      )}
      <Bars
        bars={nodes.map(node => barOf(node, {first, asked, lines: shown.get(node.id) ?? []}))}
        label="Calls of the request"
        now={now.value}
      />
      {leftOut > 0 && <p class="soft">{count(leftOut)} more calls are not shown.</p>}
      {lines.length > 0 && (
        <p>
          <label>
            <input type="checkbox" checked={hasLines} onChange={event => setHasLines(event.currentTarget.checked)} />{' '}
            every line that the apps wrote meanwhile ({count(lines.length)})
          </label>
          {linesLeftOut > 0 && <span class="soft"> ({count(linesLeftOut)} earlier ones are not shown)</span>}
        </p>
      )}
    </>
  )
}

/** Errors, warnings, and what was written where a failure began; or all. */
const linesByNode = (
  {lines, failedAt}: Api.RequestTree,
  hasLines: boolean
): ReadonlyMap<number, readonly Api.TreeLine[]> =>
  Map.groupBy(
    lines.filter(({node, line: {level}}) => hasLines || node === failedAt || level === 'error' || level === 'warn'),
    ({node}) => node
  )

const edgeOf = ({from, to}: Api.TreeNode): string => visible(to === '' ? from : `${from} → ${to}`)

function Name({
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
  /** When the request began: ms since 1970. */
  readonly first: number
  readonly asked: number
  readonly lines: readonly Api.TreeLine[]
}

function barOf(node: Api.TreeNode, {first, asked, lines}: Around): Bar {
  const {id, depth, count: many, link, what, startMs, totalMs, isOpen, isFailed, outcome, failure, spans} = node
  const from = first + startMs
  const guess = guessText(link)
  const said = [
    `${visible(what)} ${outcome}`.trim(),
    many > 1 ? `${count(many)} times` : '',
    guess,
    visible(failure.split('\n', 1)[0] ?? '')
  ]
  return {
    key: keyOf(node),
    label: (
      <span title={reasonText(link)}>
        <Name node={node} isAsked={id === asked}>
          {edgeOf(node)}
        </Name>
      </span>
    ),
    from,
    to: isOpen ? undefined : from + totalMs,
    depth,
    tone: isFailed ? 'failed' : 'done',
    isGuess: guess !== '',
    note: said.filter(text => text !== '').join(', '),
    ...(lines.length + spans.length > 0 && {
      below: (
        <>
          {spans.length > 0 && <Spans spans={spans} isOwn={node.kind === 'span'} />}
          {lines.length > 0 && <Lines lines={lines} />}
        </>
      )
    })
  }
}

/** The same in the next answer, where spans have come: what is open stays so. Only calls have numbers that stay. */
function keyOf({id, call, spans: [span]}: Api.TreeNode): string {
  return call === null && span !== undefined ? `${span.traceId} ${span.spanId}` : id.toString()
}

/** What the SDKs of apps say of it, on request. `isOwn`: the row has said already what it did. */
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
          {`${time === null ? '' : timeOfDay(time)} ${visible(app)} ${textOf(line)}`}
          {others > 0 && <span class="soft">{` (or for another of its ${others + 1} requests)`}</span>}
          {'\n'}
        </span>
      ))}
    </pre>
  )
}

const textOf = (line: string): string =>
  piecesOf(line)
    .map(({text}) => text)
    .join('')
