"""The data set that the options of a command name."""

from training.config import DataOptions, PictureRules
from training.data.images import DataSet
from training.data.named import load_named
from training.data.own import load_images
from training.data.picture import Rules


def load_data(options: DataOptions) -> DataSet:
    """A data set with a name, or pictures of one's own.

    Raises:
        DataError: it cannot be read.
    """
    if options.images is None:
        return load_named(options.dataset, options.data_dir, options.size)
    return load_images(options.images, rules_of(options), options.label_names)


def rules_of(options: PictureRules) -> Rules:
    """How the pictures are brought to one form."""
    return Rules(options.size, options.polarity, options.fit, options.contrast)
