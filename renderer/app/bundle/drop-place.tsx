import { Button } from '@mantine/core';
import { IconPackage } from '@tabler/icons-react';
import { type DragEvent, type ReactNode, useRef, useState } from 'react';
import classes from './bundle.module.css';
import { useBundles } from './bundle-context.tsx';
import { bundleFile } from './start-worker.ts';

/** Where a bundle is dropped, or chosen. `compact`: as a part of another screen. */
export function DropPlace({ compact = false }: { compact?: boolean }) {
  const { over, handlers } = useDrop();
  return (
    <div className={classes.drop} data-over={over || undefined} data-compact={compact || undefined} {...handlers}>
      <IconPackage size={compact ? 22 : 30} stroke={1.4} aria-hidden />
      <p>
        <b>Drop a bundle here</b>
        <span className="muted">The .zip that an export wrote. It is verified and replayed on this device; nothing is sent anywhere.</span>
      </p>
      <ChooseFile>Choose a file</ChooseFile>
    </div>
  );
}

/** A button, and the system's own dialog behind it. */
export function ChooseFile({ children }: { children: ReactNode }) {
  const { open } = useBundles();
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button onClick={() => input.current?.click()}>{children}</Button>
      <input
        ref={input}
        type="file"
        accept=".zip,application/zip"
        hidden
        aria-label="Bundle"
        onChange={(event) => {
          const [file] = event.currentTarget.files ?? [];
          if (file !== undefined) open(bundleFile(file));
          event.currentTarget.value = '';
        }}
      />
    </>
  );
}

/** Takes files that are dropped, and shows that it would. */
export function useDrop() {
  const { open } = useBundles();
  const [depth, setDepth] = useState(0);
  const isFile = (event: DragEvent) => event.dataTransfer.types.includes('Files');
  return {
    over: depth > 0,
    handlers: {
      onDragEnter: (event: DragEvent) => {
        if (isFile(event)) setDepth((before) => before + 1);
      },
      onDragLeave: (event: DragEvent) => {
        if (isFile(event)) setDepth((before) => Math.max(0, before - 1));
      },
      onDragOver: (event: DragEvent) => {
        if (isFile(event)) event.preventDefault();
      },
      onDrop: (event: DragEvent) => {
        if (!isFile(event)) return;
        event.preventDefault();
        event.stopPropagation();
        setDepth(0);
        const [file] = event.dataTransfer.files;
        if (file !== undefined) open(bundleFile(file));
      },
    },
  };
}
