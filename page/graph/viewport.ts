import type {RefObject} from 'preact'
import {useEffect, useLayoutEffect, useRef, useState} from 'preact/hooks'
import {scaleOf, type Point, type Size} from './layout.ts'

/** The visible part of a picture: its scale, and the point in the upper left corner. */
interface View extends Point {
  readonly scale: number
}

const MAX_SCALE = 3
const MIN_SCALE = 0.05
/** The box width in px below which the picture starts at this scale or more, so that names can be read on a phone. */
const NARROW = {width: 700, scale: 0.6}
/** The zoom factor of one key press. */
const STEP = 1.3
/** The distance in px by which an arrow key moves the picture. */
const MOVE = 60

export interface Viewport {
  readonly view: View
  readonly zoom: (by: number, at?: Point) => void
  readonly fit: () => void
  /** Centres the picture on a point that is out of view. */
  readonly show: (place: Point) => void
  readonly onKeyDown: (event: KeyboardEvent) => void
  readonly onPointerDown: (event: PointerEvent) => void
}

/** The element that contains a picture, and its size. */
export interface Box {
  readonly box: RefObject<HTMLDivElement | null>
  readonly size: Size
}

export function useBox(): Box {
  const box = useRef<HTMLDivElement>(null)
  const [size, setSize] = useState<Size>({width: 0, height: 0})
  useLayoutEffect(() => {
    const element = box.current
    if (element === null) return undefined
    const look = (): void => setSize({width: element.clientWidth, height: element.clientHeight})
    look()
    const observer = new ResizeObserver(look)
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  return {box, size}
}

/** Fits a picture into its box, readable in a narrow one, until the user zooms (wheel, +, -) or moves it (drag, arrows); 0 fits all. */
export function useViewport(picture: Size, {box, size}: Box): Viewport {
  const [chosen, choose] = useState<View | 'first' | 'whole'>('first')
  const view =
    typeof chosen === 'string'
      ? fitting(picture, size, chosen === 'first' && size.width < NARROW.width ? NARROW.scale : MIN_SCALE)
      : chosen
  const latest = useRef(view)
  latest.current = view

  const set = (next: View): void => choose((latest.current = next))
  const zoom = (by: number, at: Point = {x: size.width / 2, y: size.height / 2}): void => {
    const {x, y, scale} = latest.current
    const next = Math.min(MAX_SCALE, Math.max(MIN_SCALE, scale * by))
    // the point of the picture at this place of the box stays there
    set({scale: next, x: x + at.x / scale - at.x / next, y: y + at.y / scale - at.y / next})
  }
  const move = (x: number, y: number): void => {
    const {scale, ...from} = latest.current
    set({scale, x: from.x + x / scale, y: from.y + y / scale})
  }
  const fit = (): void => choose('whole')
  useEffect(() => {
    const element = box.current
    const onWheel = (event: WheelEvent): void => {
      event.preventDefault()
      const {left, top} = element?.getBoundingClientRect() ?? {left: 0, top: 0}
      zoom(Math.exp(-event.deltaY / 400), {x: event.clientX - left, y: event.clientY - top})
    }
    element?.addEventListener('wheel', onWheel, {passive: false})
    return () => element?.removeEventListener('wheel', onWheel)
  }, [])
  const keys: Readonly<Record<string, () => void>> = {
    '+': () => zoom(STEP),
    '-': () => zoom(1 / STEP),
    '0': fit,
    ArrowLeft: () => move(-MOVE, 0),
    ArrowRight: () => move(MOVE, 0),
    ArrowUp: () => move(0, -MOVE),
    ArrowDown: () => move(0, MOVE)
  }
  return {
    view,
    zoom,
    fit,
    show: ({x, y}) => {
      const {scale, ...from} = latest.current
      const [right, bottom] = [from.x + size.width / scale, from.y + size.height / scale]
      if (x >= from.x && x <= right && y >= from.y && y <= bottom) return
      set({scale, x: x - size.width / scale / 2, y: y - size.height / scale / 2})
    },
    onKeyDown: event => {
      const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key]
      if (act === undefined) return
      event.preventDefault()
      act()
    },
    onPointerDown: event => {
      const {target, pointerId} = event
      const isOther = !(target instanceof Element) || target.closest('a, button, [role=button]') !== null
      if (isOther || event.button !== 0) return
      const element = box.current
      let [x, y] = [event.clientX, event.clientY]
      const onMove = (moved: PointerEvent): void => {
        move(x - moved.clientX, y - moved.clientY)
        ;[x, y] = [moved.clientX, moved.clientY]
      }
      element?.setPointerCapture(pointerId)
      element?.addEventListener('pointermove', onMove)
      element?.addEventListener('lostpointercapture', () => element.removeEventListener('pointermove', onMove), {
        once: true
      })
    }
  }
}

/** Returns the view of the whole picture, centred and not enlarged; of its upper left part if the scale would be below `smallest`. */
function fitting(picture: Size, size: Size, smallest: number): View {
  const scale = Math.max(smallest, scaleOf(picture, size))
  const start = (whole: number, seen: number): number => Math.min(0, (whole - seen / scale) / 2)
  return {scale, x: start(picture.width, size.width), y: start(picture.height, size.height)}
}
