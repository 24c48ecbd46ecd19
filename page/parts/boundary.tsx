import {Component, type ComponentChildren} from 'preact'

interface BoundaryProps {
  readonly children: ComponentChildren
}

/**
 * Says that a view cannot be drawn, for instance as the page is older than the run that answers it. Without it all views were gone.
 * With another `key` the next view is drawn.
 */
export class Boundary extends Component<BoundaryProps, {readonly why?: string | undefined}> {
  static override getDerivedStateFromError(error: unknown): {readonly why: string} {
    return {why: error instanceof Error ? error.message : String(error)}
  }

  override componentDidCatch(error: unknown): void {
    console.error(error)
  }

  override render({children}: BoundaryProps, {why}: {readonly why?: string | undefined}): ComponentChildren {
    if (why === undefined) return children
    return (
      <div class="empty" role="alert">
        <h1>This view cannot be shown</h1>
        <p>{why}</p>
        <p>The page may be older than the run.</p>
        <button type="button" onClick={() => location.reload()}>
          Load the page again
        </button>{' '}
        <button type="button" onClick={() => this.setState({why: undefined})}>
          Try again
        </button>
      </div>
    )
  }
}
