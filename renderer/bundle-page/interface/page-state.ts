import type { BundlePage, BundlePageSession } from '../../../contract/bundle-page.ts';
import type { BundleData } from '../../evidence/bundle-data.ts';
import type { Verification } from '../../evidence/verification.ts';
import type { Route } from './route.ts';

/** What every screen is made from. */
export interface PageState {
  readonly bundle: BundlePage;
  readonly data: BundleData;
  readonly verification: Verification;
  readonly sessions: ReadonlyMap<string, BundlePageSession>;
  /** Calls back after every change of the verification, at most once a frame. */
  watch(listener: () => void): () => void;
}

/** A screen in place: its node, and what has to happen when it changes or goes. */
export interface Screen {
  readonly node: HTMLElement;
  readonly title: string;
  /** The same screen for another address, without building it anew; false when it has to be. */
  follow?(route: Route): boolean;
  /** True when the key was taken. */
  key?(event: KeyboardEvent): boolean;
  /** Called once the node is in the document. */
  shown?(): void;
  dispose?(): void;
}
