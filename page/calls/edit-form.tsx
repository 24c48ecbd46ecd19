import type * as Api from '../../src/model/api.generated.ts'
import {useEffect, useRef, useState} from 'preact/hooks'
import {editOf, textOf} from './edit.ts'

/** Shows the request of a call as editable text: method, path, headers and body; sends what was changed. */
export function EditForm({
  call: shown,
  onSend
}: {
  readonly call: Api.CallDetail
  readonly onSend: (edit: Api.RequestEdit) => Promise<void>
}) {
  // what is added to a call that is under way is no edit
  const [call] = useState(shown)
  const [text, setText] = useState(() => textOf(call))
  const [mistake, setMistake] = useState('')
  const [isSending, setSending] = useState(false)
  const area = useRef<HTMLTextAreaElement>(null)
  useEffect(() => area.current?.focus(), [])
  const send = (): void => {
    const edit = editOf(text, call)
    setMistake(typeof edit === 'string' ? edit : '')
    if (typeof edit === 'string' || isSending) return
    setSending(true)
    void onSend(edit).finally(() => setSending(false))
  }
  return (
    <form
      class="edit box"
      aria-label="Edit and send"
      onSubmit={event => {
        event.preventDefault()
        send()
      }}
      onKeyDown={event => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) send()
      }}
    >
      <textarea
        ref={area}
        aria-label="Request"
        aria-invalid={mistake !== ''}
        aria-describedby="edit-mistake"
        spellcheck={false}
        rows={Math.min(24, text.split('\n').length + 1)}
        value={text}
        onInput={event => setText(event.currentTarget.value)}
      />
      <div class="tools">
        <button type="submit" class="primary" title="Ctrl+Enter" disabled={isSending}>
          {isSending ? 'Sending …' : 'Send'}
        </button>
        <span class="soft">
          {call.request.encoding === 'base64'
            ? 'Its body is not text, and is sent as it was.'
            : 'Unchanged parts are sent as recorded, hidden values too.'}
        </span>
        <span id="edit-mistake" class="bad" role={mistake === '' ? undefined : 'alert'}>
          {mistake}
        </span>
      </div>
    </form>
  )
}
