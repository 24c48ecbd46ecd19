import {signal} from '@preact/signals'
import {useLayoutEffect, useRef} from 'preact/hooks'

interface Question {
  readonly text: string
  /** Text of the button that confirms. */
  readonly yes: string
  readonly run: () => void
  /** Another choice. */
  readonly or?: {readonly text: string; readonly run: () => void}
}

const question = signal<Question | undefined>(undefined)

/** Asks before something that cannot be taken back. */
export const confirm = (asked: Question): void => void (question.value = asked)

export function Confirm() {
  const dialog = useRef<HTMLDialogElement>(null)
  const asked = question.value
  // at once: the event of an earlier close may still come, and finds this one open
  useLayoutEffect(() => {
    if (asked === undefined) dialog.current?.close()
    else dialog.current?.showModal()
  }, [asked])
  return (
    <dialog
      ref={dialog}
      aria-labelledby="question"
      onClose={() => {
        if (dialog.current?.open === false) question.value = undefined
      }}
    >
      <p id="question">{asked?.text}</p>
      <form method="dialog" class="tools">
        <button
          type="submit"
          onClick={() => {
            asked?.run()
          }}
        >
          {asked?.yes}
        </button>
        {asked?.or !== undefined && (
          <button type="submit" onClick={asked.or.run}>
            {asked.or.text}
          </button>
        )}
        <button type="submit">Cancel</button>
      </form>
    </dialog>
  )
}
