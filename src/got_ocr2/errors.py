"""The one exception tree of the package.

Every message is a full sentence that names the offending value and the limit it breaks. `exit_code` is what
the command line exits with; the numbers are those of OCRmyPDF.
"""

from __future__ import annotations


class GotOcr2Error(Exception):
    """Base of every error that got-ocr2 raises on purpose."""

    exit_code: int = 15


class InvalidOptionError(GotOcr2Error, ValueError):
    """An argument or option is unknown, out of range, or contradicts another one."""

    exit_code = 1


class InputError(GotOcr2Error, ValueError):
    """A document cannot be read as an image: truncated, empty, too large, or not an image at all."""

    exit_code = 2


class MissingDependencyError(GotOcr2Error, ImportError):
    """An optional package is needed; the message names the extra that installs it."""

    exit_code = 3


class FileAccessError(GotOcr2Error, OSError):
    """A file is missing, is a folder where a file is needed, or may not be read or written."""

    exit_code = 5


class EncryptedDocumentError(InputError):
    """A document needs a password that was not given, or was given wrong."""

    exit_code = 8


class ConfigError(GotOcr2Error, ValueError):
    """A configuration file or object does not describe a model that can be built."""

    exit_code = 2


class CheckpointError(GotOcr2Error, ValueError):
    """A checkpoint is missing, incomplete, misshapen, or in an unknown layout."""

    exit_code = 2


class RenderError(InputError):
    """A text cannot be shown in the format that was asked for, or not without a problem in strict mode."""

    exit_code = 2
