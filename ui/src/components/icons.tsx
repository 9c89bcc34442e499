import type { ReactNode } from "react";

/** An icon beside a word: it never stands for one, so it is hidden from readers. */
function Icon({ children }: { children: ReactNode }) {
  return (
    <svg
      width="1em"
      height="1em"
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const CheckIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="6.6" />
    <path d="M5 8.3l2.1 2.1L11 6.2" />
  </Icon>
);

export const CrossIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="6.6" />
    <path d="M5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4" />
  </Icon>
);

export const WarningIcon = () => (
  <Icon>
    <path d="M8 1.8L14.8 13.8H1.2Z" />
    <path d="M8 6.4v3.4M8 11.8v.1" />
  </Icon>
);

export const RunningIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="6.6" />
    <path d="M8 1.4a6.6 6.6 0 0 1 0 13.2Z" fill="currentColor" stroke="none" />
  </Icon>
);

export const WaitingIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="6.6" />
    <path d="M8 4.4V8l2.4 1.6" />
  </Icon>
);

export const StoppedIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="6.6" />
    <path d="M5.2 8h5.6" />
  </Icon>
);

export const EmptyIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="6.6" strokeDasharray="2.4 2.4" />
  </Icon>
);

export const DrainIcon = () => (
  <Icon>
    <path d="M8 2.4L14.2 13H1.8Z" fill="currentColor" />
  </Icon>
);

export const LiveIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="4" fill="currentColor" />
  </Icon>
);

export const UserIcon = () => (
  <Icon>
    <circle cx="8" cy="5.2" r="3" />
    <path d="M2.2 14.2c.8-3 3-4.4 5.8-4.4s5 1.4 5.8 4.4" />
  </Icon>
);
