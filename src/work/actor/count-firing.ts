import type {ActorEvent} from '../../model/actor-event.ts'
import type {ActorAnswer, ActorRequest} from './actor-host.ts'

/** Counts something for an instance. */
export type CountActors = (instance: string, event: ActorEvent) => void

/** Counts a timer or reminder that has had its turn; other calls are not. */
export function countFiring(
  counted: CountActors | undefined,
  instance: string | undefined,
  {work, type: actor}: ActorRequest,
  answer: ActorAnswer
): void {
  if (work.kind === 'method' || instance === undefined) return
  counted?.(instance, {type: 'fired', kind: work.kind, actor, isSuccess: answer.kind === 'done' && !answer.isError})
}
