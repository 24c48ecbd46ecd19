import type {ComponentChild} from 'preact'
import {useEffect, useId, useRef, useState} from 'preact/hooks'

export interface Question {
  readonly title: string
  readonly text: string
  readonly choices: readonly (readonly [text: string, run: () => void])[]
}

/** A function that asks before something is done, and the dialog in which it does. */
export function useQuestion(): readonly [ask: (question: Question) => void, dialog: ComponentChild] {
  const [question, setQuestion] = useState<Question | undefined>(undefined)
  const id = useId()
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    if (question !== undefined) dialog.current?.showModal()
  }, [question])
  return [
    setQuestion,
    <dialog ref={dialog} aria-labelledby={id} onClose={() => setQuestion(undefined)}>
      <h2 id={id}>{question?.title}</h2>
      <p>{question?.text}</p>
      <form method="dialog" class="tools">
        <button type="submit">Cancel</button>
        {question?.choices.map(([text, run]) => (
          <button key={text} type="submit" onClick={run}>
            {text}
          </button>
        ))}
      </form>
    </dialog>
  ]
}
