import type * as Api from '../../src/model/api.generated.ts'
import {MessageBody} from '../calls/message-body.tsx'
import {visible} from './safe-text.ts'

/** Shows an input, an output or a stored value under its title; nothing if it is empty. */
export function Payload({
  title,
  text,
  encoding = 'utf8'
}: {
  readonly title: string
  readonly text: string | null
  readonly encoding?: Api.Message['encoding']
}) {
  if (text === null || text === '') return null
  const message: Api.Message = {line: '', headers: [], body: text, encoding}
  return (
    <details class="message" open>
      <summary>{visible(title)}</summary>
      <MessageBody message={message} label={title} />
    </details>
  )
}
