import { Modal } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './dialog.module.css';

/** A dialog. Its head is no `<header>`: outside of everything else that would be a second banner of the page. */
export function Dialog({
  title,
  size,
  onClose,
  closeOnClickOutside = true,
  children,
}: {
  title: string;
  size: number;
  onClose: () => void;
  closeOnClickOutside?: boolean;
  children: ReactNode;
}) {
  return (
    <Modal.Root opened onClose={onClose} size={size} closeOnClickOutside={closeOnClickOutside} lockScroll={false} centered>
      <Modal.Overlay />
      <Modal.Content>
        <div className={classes.head}>
          <Modal.Title>{title}</Modal.Title>
          <Modal.CloseButton aria-label="Close" />
        </div>
        <Modal.Body>{children}</Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
