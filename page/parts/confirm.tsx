import {signal} from '@preact/signals'
import {useLayoutEffect, useRef} from 'preact/hooks'
import {runId} from '../state/run.ts'

interface Question {
  readonly text: string
  /** The text of the button that confirms. */
  readonly yes: string
  readonly run: () => void
  /** A second way to confirm. */
  readonly or?: {readonly text: string; readonly run: () => void}
}

const question = signal<(Question & {readonly of: string}) | undefined>(undefined)

/** Asks for confirmation before an action that cannot be undone. The question ends with this run, since in the next one a number means another call. */
export const confirm = (asked: Question): void => void (question.value = {...asked, of: runId.peek()})

export function Confirm() {
  const dialog = useRef<HTMLDialogElement>(null)
  const asked = question.value?.of === runId.value ? question.value : undefined
  // a layout effect opens the dialog at once: a late close event of an earlier question then finds it open, and is ignored
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
        <button type="submit" onClick={asked?.run}>
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
