import {api} from '../state/api.ts'
import {useAsked} from '../state/asked.ts'
import {hrefOf} from '../state/route.ts'
import {statusText} from './columns.tsx'
import {MessageBody} from './message-body.tsx'

/** Shows the body of a call's request or response, for a comparison with another one. */
export function OneMessage({
  title,
  number,
  side
}: {
  readonly title: string
  readonly number: number
  readonly side: 'request' | 'response'
}) {
  const call = useAsked(async signal => api.ask('GET /calls/{number}', {at: {number}, signal}), [number])
  return (
    <div class="answer" role="group" aria-label={title}>
      <h2>
        {title}: <a href={hrefOf('calls', [number.toString()])}>call {number}</a>
        {typeof call === 'object' && `, ${statusText(call)}`}
      </h2>
      {typeof call === 'string' && <p class="soft">{call}</p>}
      {typeof call === 'object' && call[side].body === '' && <p class="soft">no body</p>}
      {typeof call === 'object' && <MessageBody message={call[side]} label={`${title}, body`} />}
    </div>
  )
}
