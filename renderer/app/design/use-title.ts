import { useEffect } from 'react';

/** What the window, its entry in the history and a bookmark are called: the place first, for tabs are narrow. */
export function useTitle(place: string): void {
  useEffect(() => {
    document.title = `${place} · Sallyport`;
  }, [place]);
}
