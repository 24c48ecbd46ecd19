import {Component, type ComponentChildren} from 'preact'

interface BoundaryProps {
  readonly children: ComponentChildren
  /** The address; when it changes, the view is drawn again. */
  readonly place: object
}

interface BoundaryState {
  readonly why?: string | undefined
  readonly place?: object
}

/** Shows that a view cannot be drawn, for example because the page is older than its run. The other views stay usable. */
export class Boundary extends Component<BoundaryProps, BoundaryState> {
  static override getDerivedStateFromError(error: unknown): BoundaryState {
    return {why: error instanceof Error ? error.message : String(error)}
  }

  static override getDerivedStateFromProps({place}: BoundaryProps, before: BoundaryState): BoundaryState | null {
    return place === before.place ? null : {place, why: undefined}
  }

  override componentDidCatch(error: unknown): void {
    console.error(error)
  }

  override render({children}: BoundaryProps, {why}: BoundaryState): ComponentChildren {
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
