import type * as Api from '../../src/model/api.generated.ts'
import {Bars, type Bar} from '../parts/bars.tsx'
import {bytes} from '../parts/format.ts'
import {visible} from '../parts/safe-text.ts'
import {now} from '../state/clock.ts'
import {hrefOf} from '../state/route.ts'
import {StepAction} from './instance-actions.tsx'
import {instanceHref, stepHref, stepWords} from './words.ts'

const toneOfStep = ({kind, state, name}: Api.WorkflowStep): Bar['tone'] => {
  if (kind === 'suspended') return 'hatched'
  if (state === 'failed' || (kind === 'end' && name === 'FAILED')) return 'failed'
  return state === 'waits' ? 'waits' : 'done'
}

function noteOf({state, tries, inputBytes, outputBytes, failure}: Api.WorkflowStep): string {
  const sizes = [inputBytes > 0 && `${bytes(inputBytes)} in`, outputBytes > 0 && `${bytes(outputBytes)} out`]
  const words = [
    ['late', 'dropped'].includes(state) && state,
    tries > 1 && `${tries} tries`,
    ...sizes,
    failure.split('\n', 1)[0]
  ]
  return visible(words.filter(Boolean).join(', '))
}

const nameOfStep = (workflow: Api.Workflow, step: Api.WorkflowStep) => {
  const {kind, app, instance} = step
  if (kind === 'child' && instance !== '') return <a href={instanceHref({app, id: instance})}>{stepWords(step)}</a>
  if (kind !== 'activity') return stepWords(step)
  return (
    <>
      <a href={stepHref(workflow, step)}>{stepWords(step)}</a> <a href={hrefOf('apps', [app])}>{visible(app)}</a>
    </>
  )
}

/** Shows the steps of an instance as bars over time, with the known steps of a child below it. */
export function Steps({
  timeline,
  children
}: {
  readonly timeline: Api.WorkflowTimeline
  readonly children: ReadonlyMap<string, Api.WorkflowTimeline>
}) {
  const barsOf = ({workflow, steps}: Api.WorkflowTimeline, depth: number): readonly Bar[] =>
    steps.flatMap((step, index) => {
      const bar: Bar = {
        key: `${workflow.app}/${workflow.id}/${index}`,
        label: nameOfStep(workflow, step),
        from: Date.parse(step.startedAt),
        to: step.endedAt === null ? undefined : Date.parse(step.endedAt),
        depth,
        tone: toneOfStep(step),
        note: noteOf(step),
        action: <StepAction instance={workflow} step={step} />
      }
      const inner = step.kind === 'child' && depth < 6 ? children.get(`${step.app}/${step.instance}`) : undefined
      return inner === undefined ? [bar] : [bar, ...barsOf(inner, depth + 1)]
    })
  return <Bars bars={barsOf(timeline, 0)} label="Steps" noteHead="Result" now={now.value} />
}
