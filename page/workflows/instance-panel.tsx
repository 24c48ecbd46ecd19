import type * as Api from '../../src/model/api.generated.ts'
import {useEffect, useState} from 'preact/hooks'
import {FoldedTree} from '../calls/trace.tsx'
import {duration, moment} from '../parts/format.ts'
import {Payload} from '../parts/payload.tsx'
import {visible} from '../parts/safe-text.ts'
import {now} from '../state/clock.ts'
import {hrefOf, parameter} from '../state/route.ts'
import {InstanceActions} from './instance-actions.tsx'
import {api} from '../state/api.ts'
import {useAnswer, type Answer} from './instances.ts'
import {StepDetail} from './step-detail.tsx'
import {Steps} from './steps.tsx'
import {instanceHref, instanceKey, instanceQuery, isOver, signOf, standing, statusWord} from './words.ts'

/** The number of children whose own steps are shown at most. */
const MAX_CHILDREN = 20

/** Returns the timelines of an instance's children and their children, by instance key, at most MAX_CHILDREN. */
function useChildren(timeline: Answer<Api.WorkflowTimeline>): ReadonlyMap<string, Api.WorkflowTimeline> {
  const [known, setKnown] = useState<ReadonlyMap<string, Api.WorkflowTimeline>>(new Map())
  useEffect(() => {
    if (typeof timeline !== 'object') return undefined
    const gone = new AbortController()
    const all = new Map<string, Api.WorkflowTimeline>()
    const load = async ({steps}: Api.WorkflowTimeline): Promise<void> => {
      for (const {kind, app, instance: id} of steps) {
        const key = instanceKey({app, id})
        if (kind !== 'child' || id === '' || all.has(key) || all.size >= MAX_CHILDREN) continue
        const query = instanceQuery({app, id})
        // a child that the run no longer knows is skipped; its bar in the parent stays
        const child = await api.ask('GET /workflow/timeline', {query, signal: gone.signal}).catch(() => undefined)
        if (gone.signal.aborted) return
        if (child === undefined) continue
        all.set(key, child)
        await load(child)
      }
    }
    void load(timeline).then(() => gone.signal.aborted || setKnown(all))
    return () => gone.abort()
  }, [timeline])
  return known
}

/** Shows an instance: what it waits for, its steps over time, its input and output. */
export function InstancePanel({
  app,
  id,
  onClose
}: {
  readonly app: string
  readonly id: string
  readonly onClose: () => void
}) {
  const query = instanceQuery({app, id})
  const detail = useAnswer('GET /workflow', query)
  const timeline = useAnswer('GET /workflow/timeline', query)
  const children = useChildren(timeline)
  return (
    <section class="panel box" aria-labelledby="instance">
      <div class="tools">
        <h2 id="instance">{visible(id)}</h2>
        <button type="button" title="Key: Escape" onClick={onClose}>
          Close
        </button>
      </div>
      {typeof detail === 'string' && <p class="bad">{detail}</p>}
      {typeof detail === 'object' && (
        <Found detail={detail} timeline={typeof timeline === 'object' ? timeline : undefined} children={children} />
      )}
    </section>
  )
}

function Found({
  detail,
  timeline,
  children
}: {
  readonly detail: Api.WorkflowDetail
  readonly timeline: Api.WorkflowTimeline | undefined
  readonly children: ReadonlyMap<string, Api.WorkflowTimeline>
}) {
  const {app, name, created, lastUpdate, parent, customStatus, input, output, failure, failureType, stack} = detail
  const chosen = parameter('step')
  const [begun, changed] = [Date.parse(created), Date.parse(lastUpdate)]
  const opened = timeline?.steps.find(({kind, eventId}) => kind === 'activity' && eventId?.toString() === chosen)
  const [sign, tone] = signOf(detail)
  const progress = timeline === undefined ? '' : standing(timeline, now.value)
  return (
    <>
      <p>
        <code>{visible(name)}</code> of <a href={hrefOf('apps', [app])}>{visible(app)}</a>:{' '}
        <strong class={`status ${tone}`}>
          <span aria-hidden="true">{sign}</span> {statusWord(detail)}
        </strong>
        {progress !== '' && (
          <>
            , <b>{progress}</b>
          </>
        )}
      </p>
      <p class="soft">
        began {moment(created)}, {isOver(detail) ? 'took ' : 'so far '}
        {duration(isOver(detail) ? changed - begun : Math.max(0, now.value - begun))}
        {parent !== null && (
          <>
            , a child of <a href={instanceHref(parent)}>{visible(parent.id)}</a>
          </>
        )}
        {customStatus !== '' && `, its last message: ${visible(customStatus)}`}
      </p>
      <div class="tools">
        <InstanceActions instance={detail} timeline={timeline} />
        <a
          class="button"
          href={hrefOf('calls', [], {q: `from:${app} since:${created}${isOver(detail) ? ` until:${lastUpdate}` : ''}`})}
        >
          Calls
        </a>
        <a class="button" href={hrefOf('logs', [], {app})}>
          Logs
        </a>
      </div>
      {failure !== '' && (
        <div class="box note failure" role="group" aria-label="Failure">
          <p class="bad">
            {failureType !== '' && `${visible(failureType)}: `}
            {visible(failure)}
          </p>
          {stack !== '' && <pre>{stack.split('\n').map(visible).join('\n')}</pre>}
        </div>
      )}
      {timeline !== undefined && <Steps timeline={timeline} children={children} />}
      {opened !== undefined && <StepDetail key={opened.eventId} step={opened} trace={detail.trace} />}
      <FoldedTree q={`workflow:${app}/${detail.id}`} version={lastUpdate} />
      <Payload title="Input" text={input} />
      <Payload title="Output" text={output} />
    </>
  )
}
